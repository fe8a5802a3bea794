// Commands. A bot in TypeScript has its decorators before the class: @Declare({ ... }) class World extends Command.
const {
  ChannelType, Command, ContextMenuCommand, Declare, Group, Groups, Options, SubCommand, createAttachmentOption, createBooleanOption,
  createChannelOption, createIntegerOption, createMentionableOption, createNumberOption, createRoleOption, createStringOption,
  createUserOption, MessageFlags, ApplicationCommandType,
} = require('seyfert');
const { form, layout, panel, pick } = require('./components');
const { tour } = require('./tour');

const guildId = [process.env.TEST_GUILD_ID];
const fruits = ['apple', 'banana', 'cherry', 'mango'];

function slash(name, description, run, options = {}, more = {}) {
  class Slash extends Command {
    run(ctx) {
      return run(ctx);
    }
  }
  return Declare({ name, description, guildId, ...more })(Options(options)(Slash));
}

function menu(name, type, run) {
  class Menu extends ContextMenuCommand {
    run(ctx) {
      return run(ctx);
    }
  }
  return Declare({ name, type, guildId })(Menu);
}

async function world(ctx) {
  const describe = (guild, channels, members, roles) => ({
    guild: guild.name,
    owner: members.find(({ id }) => id === guild.ownerId).username,
    channels: Object.fromEntries(channels.map(({ name, type }) => [name, type])),
    members: members.map(({ username }) => username).sort(),
    roles: roles.map(({ name }) => name).sort(),
  });
  const { client, guildId: id } = ctx;
  const { cache } = client;
  const cached = describe(
    await cache.guilds.get(id), await cache.channels.values(id), await cache.members.values(id), await cache.roles.values(id),
  );
  const guild = await client.guilds.fetch(id, true);
  const members = await client.members.list(id, { limit: 100 }, true);
  const fetched = describe(guild, await client.guilds.channels.list(id, true), members, await client.roles.list(id, true));
  await ctx.write({ content: JSON.stringify({ cached, fetched }) });
}

async function options(ctx) {
  const seen = {};
  for (const [name, value] of Object.entries(ctx.options)) {
    if (value === undefined) continue;
    if (name === 'file') Object.assign(seen, { file: value.filename, size: value.size });
    else seen[name] = value.username ?? value.name ?? value;
  }
  await ctx.write({ content: JSON.stringify(seen) });
}

const given = (kind, description, more) => kind({ description, ...more });
const every = {
  text: given(createStringOption, 'A text', { required: true, max_length: 50 }),
  whole: given(createIntegerOption, 'A whole', { min_value: 1 }),
  flag: given(createBooleanOption, 'A flag'),
  user: given(createUserOption, 'A user'),
  channel: given(createChannelOption, 'A channel', { channel_types: [ChannelType.GuildText] }),
  role: given(createRoleOption, 'A role'),
  mention: given(createMentionableOption, 'A mention'),
  number: given(createNumberOption, 'A number', { max_value: 9.5 }),
  file: given(createAttachmentOption, 'A file'),
};

class Leaf extends SubCommand {
  run(ctx) {
    return ctx.write({ content: `leaf ${ctx.options.name}` });
  }
}
class Root extends SubCommand {
  run(ctx) {
    return ctx.write({ content: 'root' });
  }
}
const leaf = Declare({ name: 'leaf', description: 'A leaf' })(
  Options({ name: createStringOption({ description: 'A name', required: true }) })(Group('branch')(Leaf)),
);
const root = Declare({ name: 'root', description: 'A root' })(Root);
const tree = Declare({ name: 'tree', description: 'Subcommands', guildId })(
  Groups({ branch: { defaultDescription: 'A branch' } })(Options([leaf, root])(class extends Command {})),
);

async function think(ctx) {
  await ctx.deferReply();
  await ctx.editResponse({ content: 'thought' });
  await ctx.followup({ content: 'more' });
  await ctx.followup({ content: 'whisper', flags: MessageFlags.Ephemeral });
  const gone = await ctx.followup({ content: 'gone' });
  await ctx.interaction.deleteMessage(gone.id);
}

async function edits(ctx) {
  await ctx.deferReply(true);
  await ctx.editResponse({ content: 'one' });
  const followup = await ctx.followup({ content: 'two', flags: MessageFlags.Ephemeral });
  await ctx.interaction.editMessage(followup.id, { content: 'three' });
}

const query = createStringOption({
  description: 'A query',
  required: true,
  autocomplete: (interaction) => interaction.respond(
    fruits.filter((name) => name.includes(interaction.getInput())).map((name) => ({ name, value: name })),
  ),
});

async function members(ctx) {
  const chunk = new Promise((resolve) => {
    ctx.client.events.values.GUILD_MEMBERS_CHUNK = { data: { name: 'guildMembersChunk' }, run: resolve };
  });
  const shard = ctx.client.gateway.calculateShardId(ctx.guildId);
  await ctx.client.gateway.send(shard, { op: 8, d: { guild_id: ctx.guildId, query: '', limit: 0, presences: true } });
  const names = (await chunk).members.map(({ username }) => username);
  await ctx.write({ content: names.sort().join(' ') });
}

exports.commands = [
  slash('about', 'Who is this?', (ctx) => ctx.write({ content: ctx.client.me.username }), {}, { guildId: undefined }),
  slash('world', 'What the bot knows', world),
  slash('options', 'All types of options', options, every),
  tree,
  slash('think', 'Answers late', think),
  slash('secret', 'Answers to one', (ctx) => ctx.write({ content: 'secret', flags: MessageFlags.Ephemeral })),
  slash('edits', 'Edits what one sees', edits),
  slash('form', 'A modal of labels', (ctx) => ctx.modal(form)),
  slash('layout', 'Components V2', (ctx) => ctx.write(layout)),
  slash('panel', 'Buttons and menus', (ctx) => ctx.write({ content: '0', components: panel })),
  slash('pick', 'A menu of texts', (ctx) => ctx.write({ content: 'pick', components: pick })),
  slash('find', 'Completes', (ctx) => ctx.write({ content: `found ${ctx.options.query}` }), { query }),
  menu('Greet', ApplicationCommandType.User, (ctx) => ctx.write({ content: `hello ${ctx.target.username}` })),
  menu('Quote', ApplicationCommandType.Message, (ctx) => ctx.write({ content: `${ctx.target.author.username}: ${ctx.target.content}` })),
  slash('members', 'Asks the gateway', members),
  slash('tour', 'Makes and deletes', tour, {}, { defaultMemberPermissions: ['ManageGuild'] }),
];
