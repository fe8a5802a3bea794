// An ordinary oceanic.js bot; only `rest.baseURL` differs from one for discord.com.
const {
  ApplicationCommandOptionTypes: Option, ApplicationCommandTypes, ChannelTypes, Client, ComponentTypes, InteractionTypes, MessageFlags,
  Permissions,
} = require('oceanic.js');
const components = require('./components');
const { said } = require('./messages');
const { listen } = require('./events');
const { tour } = require('./tour');

const client = new Client({
  auth: `Bot ${process.env.DISCORD_TOKEN}`,
  gateway: { intents: ['ALL'] },
  rest: { baseURL: `${process.env.SANDBOX_URL}/api/v10` },
});

const fruits = ['apple', 'banana', 'cherry', 'mango'];
const option = (name, type, more) => ({ name, description: `A ${name}`, type, ...more });
const slash = (name, description, options, more) => ({ name, description, type: ApplicationCommandTypes.CHAT_INPUT, options, ...more });
const commands = [
  slash('world', 'What the bot knows'),
  slash('options', 'All types of options', [
    option('text', Option.STRING, { required: true, maxLength: 50 }),
    option('whole', Option.INTEGER, { minValue: 1 }),
    option('flag', Option.BOOLEAN),
    option('user', Option.USER),
    option('channel', Option.CHANNEL, { channelTypes: [ChannelTypes.GUILD_TEXT] }),
    option('role', Option.ROLE),
    option('mention', Option.MENTIONABLE),
    option('number', Option.NUMBER, { maxValue: 9.5 }),
    option('file', Option.ATTACHMENT),
  ]),
  slash('tree', 'Subcommands', [
    option('branch', Option.SUB_COMMAND_GROUP, {
      options: [option('leaf', Option.SUB_COMMAND, { options: [option('name', Option.STRING, { required: true })] })],
    }),
    option('root', Option.SUB_COMMAND),
  ]),
  slash('think', 'Answers late'),
  slash('secret', 'Answers to one'),
  slash('edits', 'Edits what one sees'),
  slash('form', 'A modal of labels'),
  slash('layout', 'Components V2'),
  slash('panel', 'Buttons and menus'),
  slash('pick', 'A menu of texts'),
  slash('find', 'Completes', [option('query', Option.STRING, { autocomplete: true, required: true })]),
  { name: 'Greet', type: ApplicationCommandTypes.USER },
  { name: 'Quote', type: ApplicationCommandTypes.MESSAGE },
  slash('members', 'Asks the gateway'),
  slash('tour', 'Makes and deletes', [], { defaultMemberPermissions: String(Permissions.MANAGE_GUILD) }),
];

const home = () => client.guilds.get(process.env.TEST_GUILD_ID);
const channel = (name) => home().channels.find((each) => each.name === name);

client.once('ready', async () => {
  await client.application.bulkEditGuildCommands(home().id, commands);
  const about = await client.application.createGlobalCommand(slash('about', 'Who?'));
  await about.edit({ description: 'Who is this?' });
  await channel('bot-test').createMessage({ content: 'ready' });
});

async function world(interaction) {
  const describe = (guild, channels, members, roles) => ({
    guild: guild.name,
    owner: members.find((member) => member.id === guild.ownerID).username,
    channels: Object.fromEntries(channels.map(({ name, type }) => [name, type])),
    members: members.map(({ username }) => username).sort(),
    roles: roles.map(({ name }) => name).sort(),
  });
  const { guild } = interaction;
  const cached = describe(guild, guild.channels.toArray(), guild.members.toArray(), guild.roles.toArray());
  const { rest } = client;
  const fresh = await rest.guilds.get(guild.id);
  const fetched = describe(fresh, await fresh.getChannels(), await fresh.getMembers({ limit: 100 }), await fresh.getRoles());
  await interaction.createMessage({ content: JSON.stringify({ cached, fetched }) });
}

async function options(interaction) {
  const { options: given } = interaction.data;
  const seen = {};
  for (const { name, type, value } of given.raw) {
    if (type === Option.USER) seen[name] = given.getMember(name).joinedAt && given.getUser(name).username;
    else if (type === Option.CHANNEL) seen[name] = given.getChannel(name).name;
    else if (type === Option.ROLE) seen[name] = given.getRole(name).name;
    else if (type === Option.MENTIONABLE) seen[name] = given.getMentionable(name).username;
    else if (type === Option.ATTACHMENT) Object.assign(seen, { file: given.getAttachment(name).filename, size: given.getAttachment(name).size });
    else seen[name] = value;
  }
  await interaction.createMessage({ content: JSON.stringify(seen) });
}

const run = {
  ...components.commands,
  tour,
  world,
  options,
  about: (interaction) => interaction.createMessage({ content: client.user.username }),
  tree: (interaction) => {
    const { options: given } = interaction.data;
    const leaf = given.getSubCommand(true).at(-1);
    return interaction.createMessage({ content: [leaf, given.getString('name')].filter(Boolean).join(' ') });
  },
  async think(interaction) {
    await interaction.defer();
    await interaction.editOriginal({ content: 'thought' });
    await interaction.createFollowup({ content: 'more' });
    await interaction.createFollowup({ content: 'whisper', flags: MessageFlags.EPHEMERAL });
    const gone = await interaction.createFollowup({ content: 'gone' });
    await gone.deleteMessage();
  },
  secret: (interaction) => interaction.createMessage({ content: 'secret', flags: MessageFlags.EPHEMERAL }),
  async edits(interaction) {
    await interaction.defer(MessageFlags.EPHEMERAL);
    await interaction.editOriginal({ content: 'one' });
    const followup = await interaction.createFollowup({ content: 'two', flags: MessageFlags.EPHEMERAL });
    await interaction.editFollowup((await followup.getMessage()).id, { content: 'three' });
  },
  find: (interaction) => interaction.createMessage({ content: `found ${interaction.data.options.getString('query')}` }),
  Greet: (interaction) => interaction.createMessage({ content: `hello ${interaction.data.target.username}` }),
  Quote(interaction) {
    const { target } = interaction.data;
    return interaction.createMessage({ content: `${target.author.username}: ${target.content}` });
  },
  async members(interaction) {
    const members = await interaction.guild.fetchMembers({ presences: true });
    await interaction.createMessage({ content: members.map(({ username }) => username).sort().join(' ') });
  },
};
client.on('interactionCreate', async (interaction) => {
  switch (interaction.type) {
    case InteractionTypes.APPLICATION_COMMAND:
      return run[interaction.data.name](interaction);
    case InteractionTypes.APPLICATION_COMMAND_AUTOCOMPLETE: {
      const typed = interaction.data.options.getFocused(true).value;
      return interaction.result(fruits.filter((name) => name.includes(typed)).map((name) => ({ name, value: name })));
    }
    case InteractionTypes.MESSAGE_COMPONENT:
      return interaction.data.componentType === ComponentTypes.BUTTON ? components.press(interaction) : components.choose(interaction);
    default:
      return components.submit(interaction);
  }
});

client.on('messageCreate', async (message) => {
  if (message.author.bot) return undefined;
  if (!message.guildID) {
    const direct = await message.author.createDM();
    return direct.createMessage({ content: `direct ${message.content}` });
  }
  const [, name, text] = message.content.match(/^!(\w+) ?(.*)$/) ?? [];
  return said[name]?.(message, text);
});

listen(client, (content) => channel('general').createMessage({ content }));
client.on('warn', (text) => console.error('warning', text));
client.on('error', (error) => console.error(error));

process.once('SIGTERM', () => {
  client.disconnect(false);
  process.exit(0);
});
client.connect();
