// An ordinary discord.js bot; only `rest.api` differs from one for discord.com.
const {
  ActionRowBuilder, ActivityType, ApplicationCommandOptionType: Option, ApplicationCommandType, AttachmentBuilder,
  ButtonBuilder, ButtonStyle, ChannelSelectMenuBuilder, ChannelType, Client, EmbedBuilder, Events, GatewayIntentBits,
  MentionableSelectMenuBuilder, MessageFlags, ModalBuilder, Partials, PermissionFlagsBits, RoleSelectMenuBuilder,
  StringSelectMenuBuilder, TextInputBuilder, TextInputStyle, UserSelectMenuBuilder,
} = require('discord.js');

const { form, formAnswer, layout, pressMore } = require('./layouts');
const posts = require('./posts');

const client = new Client({
  intents: Object.values(GatewayIntentBits).filter(Number.isInteger),
  partials: [Partials.Message, Partials.Channel, Partials.Reaction, Partials.User, Partials.GuildMember],
  rest: { api: `${process.env.SANDBOX_URL}/api` },
});

const fruits = ['apple', 'banana', 'cherry', 'mango'];
const option = (name, type, more) => ({ name, description: `A ${name}`, type, ...more });
const commands = [
  { name: 'world', description: 'What the bot knows' },
  {
    name: 'options',
    description: 'All types of options',
    options: [
      option('text', Option.String, { required: true, max_length: 50 }),
      option('whole', Option.Integer, { min_value: 1 }),
      option('flag', Option.Boolean),
      option('user', Option.User),
      option('channel', Option.Channel, { channel_types: [ChannelType.GuildText] }),
      option('role', Option.Role),
      option('mention', Option.Mentionable),
      option('number', Option.Number, { max_value: 9.5 }),
      option('file', Option.Attachment),
    ],
  },
  {
    name: 'tree',
    description: 'Subcommands',
    options: [
      option('branch', Option.SubcommandGroup, {
        options: [option('leaf', Option.Subcommand, { options: [option('name', Option.String, { required: true })] })],
      }),
      option('root', Option.Subcommand),
    ],
  },
  { name: 'think', description: 'Answers late' },
  { name: 'secret', description: 'Answers to one' },
  { name: 'edits', description: 'Edits what one sees' },
  { name: 'form', description: 'A modal of labels' },
  { name: 'layout', description: 'Components V2' },
  { name: 'panel', description: 'Buttons and menus' },
  { name: 'pick', description: 'A menu of texts' },
  { name: 'find', description: 'Completes', options: [option('query', Option.String, { autocomplete: true, required: true })] },
  { name: 'Greet', type: ApplicationCommandType.User },
  { name: 'Quote', type: ApplicationCommandType.Message },
  { name: 'members', description: 'Asks the gateway' },
  { name: 'tour', description: 'Makes and deletes', default_member_permissions: String(PermissionFlagsBits.ManageGuild) },
];

const report = (text) => client.channels.cache.find((channel) => channel.name === 'general').send(text);
const names = (collection, key = 'name') => collection.map((item) => item[key] ?? item.user.username).sort();

client.once(Events.ClientReady, async () => {
  const guild = client.guilds.cache.first();
  await guild.commands.set(commands);
  const about = await client.application.commands.create({ name: 'about', description: 'Who?' });
  await client.application.commands.edit(about, { description: 'Who is this?' });
  await client.application.fetch();
  await guild.channels.cache.find((channel) => channel.name === 'bot-test').send('ready');
});

async function world(interaction) {
  const { guild } = interaction;
  const describe = async (source, channels, members, roles) => ({
    guild: source.name,
    owner: members.get(source.ownerId).user.username,
    channels: Object.fromEntries(channels.map((channel) => [channel.name, channel.type])),
    members: members.map((member) => member.user.username).sort(),
    roles: names(roles),
  });
  const fresh = await guild.fetch();
  const cached = await describe(guild, guild.channels.cache, guild.members.cache, guild.roles.cache);
  const fetched = await describe(fresh, await guild.channels.fetch(), await guild.members.list({ limit: 100 }), await guild.roles.fetch());
  await interaction.reply(JSON.stringify({ cached, fetched }));
}

async function options(interaction) {
  const seen = {};
  for (const { name, value, user, channel, role, member, attachment } of interaction.options.data) {
    if (name === 'file') Object.assign(seen, { file: attachment.name, size: attachment.size });
    else if (user) seen[name] = member.joinedAt && user.username;
    else seen[name] = channel?.name ?? role?.name ?? value;
  }
  await interaction.reply(JSON.stringify(seen));
}

const button = (id, style) => new ButtonBuilder().setCustomId(id).setLabel(id).setStyle(style);
const row = (...items) => new ActionRowBuilder().addComponents(...items);
const panel = () => ({
  content: '0',
  components: [
    row(
      button('count', ButtonStyle.Primary), button('ask', ButtonStyle.Success), button('close', ButtonStyle.Danger),
      new ButtonBuilder().setURL('https://example.com').setLabel('link').setStyle(ButtonStyle.Link),
    ),
    row(new UserSelectMenuBuilder().setCustomId('users').setMaxValues(2)),
    row(new RoleSelectMenuBuilder().setCustomId('roles')),
    row(new MentionableSelectMenuBuilder().setCustomId('mentionables').setMaxValues(2)),
    row(new ChannelSelectMenuBuilder().setCustomId('channels').setChannelTypes(ChannelType.GuildText)),
  ],
});

async function press(interaction) {
  if (interaction.customId === 'more') return pressMore(interaction);
  if (interaction.customId === 'count') return interaction.update(String(Number(interaction.message.content) + 1));
  if (interaction.customId === 'close') return interaction.update({ content: 'closed', components: [] });
  const input = (id, style) => row(new TextInputBuilder().setCustomId(id).setLabel(id).setStyle(style));
  return interaction.showModal(new ModalBuilder().setCustomId('question').setTitle('A question')
    .addComponents(input('name', TextInputStyle.Short), input('about', TextInputStyle.Paragraph)));
}

async function choose(interaction) {
  const found = [interaction.users, interaction.roles, interaction.channels].flatMap((map) => [...(map?.values() ?? [])]);
  const chosen = found.length ? found.map((item) => item.username ?? item.name) : interaction.values;
  await interaction.reply({ content: [interaction.customId, ...[...chosen].sort()].join(' '), flags: MessageFlags.Ephemeral });
}

const run = {
  about: (interaction) => interaction.reply(client.application.name),
  world,
  options,
  tree: (interaction) => interaction.reply([interaction.options.getSubcommand(), interaction.options.getString('name')].filter(Boolean).join(' ')),
  async think(interaction) {
    await interaction.deferReply();
    await interaction.editReply('thought');
    await interaction.followUp('more');
    await interaction.followUp({ content: 'whisper', flags: MessageFlags.Ephemeral });
    const gone = await interaction.followUp('gone');
    await interaction.webhook.deleteMessage(gone);
  },
  secret: (interaction) => interaction.reply({ content: 'secret', flags: MessageFlags.Ephemeral }),
  async edits(interaction) {
    await interaction.deferReply({ flags: MessageFlags.Ephemeral });
    await interaction.editReply('one');
    const followup = await interaction.followUp({ content: 'two', flags: MessageFlags.Ephemeral });
    await interaction.webhook.editMessage(followup, 'three');
  },
  form,
  layout,
  panel: (interaction) => interaction.reply(panel()),
  pick: (interaction) => interaction.reply({
    content: 'pick',
    components: [row(new StringSelectMenuBuilder().setCustomId('strings').setMaxValues(2)
      .setOptions(['red', 'green', 'blue'].map((value) => ({ label: value, value }))))],
  }),
  find: (interaction) => interaction.reply(`found ${interaction.options.getString('query')}`),
  Greet: (interaction) => interaction.reply(`hello ${interaction.targetUser.username}`),
  Quote: (interaction) => interaction.reply(`${interaction.targetMessage.author.username}: ${interaction.targetMessage.content}`),
  async members(interaction) {
    const members = await interaction.guild.members.fetch({ withPresences: true });
    await interaction.reply(names(members, 'none').join(' '));
  },
  async tour(interaction) {
    await interaction.deferReply();
    const { guild } = interaction;
    const room = await guild.channels.create({ name: 'Tour Room', topic: 'first', permissionOverwrites: [{ id: guild.id, deny: 'SendMessages' }] });
    await room.setTopic('second');
    const message = await room.send({ content: 'pinned', allowedMentions: { parse: [] } });
    await message.pin();
    if ((await room.messages.fetchPins()).items.length !== 1) throw new Error('no pin');
    await message.unpin();
    const thread = await message.startThread({ name: 'thread' });
    await thread.send('in the thread');
    await thread.setArchived(true);
    const role = await guild.roles.create({ name: 'Tourist', colors: { primaryColor: 0xff00ff }, permissions: ['Connect'] });
    const bob = await guild.members.fetch({ query: 'bob', limit: 1 }).then((found) => found.first());
    await bob.roles.add(role);
    await bob.setNickname('Tourist Bob');
    await bob.timeout(60_000);
    await bob.timeout(null);
    await bob.roles.remove(role);
    await role.setName('Tourist');
    await role.delete();
    await guild.members.ban(guild.members.cache.find((member) => member.user.username === 'carol'), { reason: 'tour' });
    if ((await guild.bans.fetch()).size !== 1) throw new Error('no ban');
    await guild.members.unban((await guild.bans.fetch()).first().user);
    const webhook = await room.createWebhook({ name: 'hook' });
    const hooked = await webhook.send({ content: 'by a webhook', username: 'Hook' });
    await webhook.editMessage(hooked, 'edited by a webhook');
    await webhook.deleteMessage(hooked);
    await webhook.delete();
    const invite = await room.createInvite({ maxAge: 60 });
    await client.fetchInvite(invite.code);
    await invite.delete();
    await room.send({ poll: { question: { text: 'Tea?' }, answers: [{ text: 'yes' }, { text: 'no' }], duration: 1, allowMultiselect: false } });
    const many = await Promise.all([room.send('a'), room.send('b')]);
    await room.bulkDelete(many);
    await room.sendTyping();
    await room.delete();
    await interaction.editReply('toured');
  },
};

client.on(Events.InteractionCreate, async (interaction) => {
  if (interaction.isAutocomplete()) {
    const typed = interaction.options.getFocused();
    return interaction.respond(fruits.filter((name) => name.includes(typed)).map((name) => ({ name, value: name })));
  }
  if (interaction.isCommand()) return run[interaction.commandName](interaction);
  if (interaction.isButton()) return press(interaction);
  if (interaction.isAnySelectMenu()) return choose(interaction);
  if (interaction.customId === 'form') return formAnswer(interaction);
  const value = (id) => interaction.fields.getTextInputValue(id);
  return interaction.reply(`name=${value('name')} about=${value('about')}`);
});

let post;
const said = {
  ...posts.said,
  async post(message) {
    const embed = new EmbedBuilder().setTitle('Title').setURL('https://example.com').setColor(0x00ff00).setTimestamp()
      .setAuthor({ name: 'Author' }).setFooter({ text: 'Foot' }).addFields({ name: 'Field', value: 'one', inline: true });
    post = await message.reply({ content: 'posted', embeds: [embed], files: [new AttachmentBuilder(Buffer.from('hello file'), { name: 'hello.txt' })] });
    await post.edit('posted and edited');
    await post.react('✅');
  },
  async fetch(message) {
    const history = await message.channel.messages.fetch({ limit: 5, cache: false });
    const found = history.get(post.id);
    await message.channel.send(JSON.stringify({
      content: found.content,
      embeds: found.embeds.length,
      files: found.attachments.map((file) => file.name),
      reactions: found.reactions.cache.map((reaction) => reaction.emoji.name),
      reply: (await found.fetchReference()).author.username === 'alice',
    }));
  },
  clean: () => post.delete(),
  async read(message) {
    const file = message.attachments.first();
    await message.channel.send(`${file.name}: ${await (await fetch(file.url)).text()}`);
  },
  mistake: (message) => message.channel.send('').catch((error) => message.channel.send(`mistake ${error.code}`)),
  async idle(message) {
    client.user.setPresence({ status: 'idle', activities: [{ name: 'nothing', type: ActivityType.Playing }] });
    await message.channel.send('idle now');
  },
  echo: (message, text) => message.channel.send(text),
  burst: (message) => Promise.all(Array.from({ length: 8 }, (_, n) => message.channel.send(`burst ${n}`))),
};

client.on(Events.MessageCreate, async (message) => {
  if (message.author.bot) return undefined;
  if (!message.inGuild()) return message.channel.send(`direct ${message.content}`);
  const [, name, text] = message.content.match(/^!(\w+) ?(.*)$/) ?? [];
  return said[name]?.(message, text);
});

posts.listen(client, report);
client.on(Events.GuildMemberAdd, (member) => report(`join ${member.user.username}`));
client.on(Events.GuildMemberRemove, (member) => report(`leave ${member.user.username}`));
client.on(Events.GuildMemberUpdate, (_, member) => member.nickname === 'Bobby' && report(`member ${member.user.username} ${member.nickname}`));
client.on(Events.MessageUpdate, (_, message) => !message.author.bot && report(`edit ${message.content}`));
client.on(Events.MessageDelete, (message) => message.author?.username === 'carol' && report(`delete ${message.id}`));
client.on(Events.MessageReactionAdd, async (reaction, user) => !user.bot && report(`react ${reaction.emoji.name} ${user.username}`));
client.on(Events.MessageReactionRemove, async (reaction, user) => !user.bot && report(`unreact ${reaction.emoji.name} ${user.username}`));
client.on(Events.PresenceUpdate, (_, { user, status, activities }) => user.username === 'bob' && activities.length && report(`presence ${user.username} ${status} ${activities[0].name}`));
client.on(Events.TypingStart, ({ user }) => !user.bot && report(`typing ${user.username}`));
client.on(Events.VoiceStateUpdate, (_, state) => report(`voice ${state.member.user.username} ${state.channel?.name ?? 'none'}`));
client.on(Events.ChannelCreate, (channel) => channel.name === 'news' && report(`channel ${channel.name}`));
client.on(Events.GuildRoleCreate, (role) => role.name === 'Artist' && report(`role ${role.name}`));
client.on(Events.GuildCreate, (guild) => report(`guild ${guild.name}`));
client.on(Events.Warn, (text) => console.error('warning', text));
client.on(Events.Error, (error) => console.error(error));
client.rest.on('invalidRequestWarning', (data) => console.error('warning', data));

process.once('SIGTERM', async () => {
  await client.destroy();
  process.exit(0);
});
client.login(process.env.DISCORD_TOKEN);
