// An ordinary eris bot; only `rest` differs from one for discord.com. eris speaks HTTPS to port 443 and nothing else, so the
// agent, its way to a proxy, takes its requests to the sandbox. The gateway follows from `GET /gateway/bot`.
const https = require('node:https');
const net = require('node:net');
const Eris = require('eris');
const components = require('./components');
const { listen } = require('./events');
const { said } = require('./messages');
const { tour } = require('./tour');

const sandbox = new URL(process.env.SANDBOX_URL);
const agent = new https.Agent();
agent.createConnection = () => net.connect(sandbox.port, sandbox.hostname);

const client = new Eris.Client(`Bot ${process.env.DISCORD_TOKEN}`, {
  intents: ['all'],
  rest: { domain: sandbox.host, agent },
  restMode: true,
});

const { ApplicationCommandOptionTypes: Option, ApplicationCommandTypes, ChannelTypes } = Eris.Constants;
const EPHEMERAL = 64;
const fruits = ['apple', 'banana', 'cherry', 'mango'];
const option = (name, type, more) => ({ name, description: `A ${name}`, type, ...more });
const slash = (name, description, options, more) => ({ name, description, type: ApplicationCommandTypes.CHAT_INPUT, options, ...more });
const commands = [
  slash('world', 'What the bot knows'),
  slash('options', 'All types of options', [
    option('text', Option.STRING, { required: true, max_length: 50 }),
    option('whole', Option.INTEGER, { min_value: 1 }),
    option('flag', Option.BOOLEAN),
    option('user', Option.USER),
    option('channel', Option.CHANNEL, { channel_types: [ChannelTypes.GUILD_TEXT] }),
    option('role', Option.ROLE),
    option('mention', Option.MENTIONABLE),
    option('number', Option.NUMBER, { max_value: 9.5 }),
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
  slash('tour', 'Makes and deletes', [], { defaultMemberPermissions: String(Eris.Constants.Permissions.manageGuild) }),
];

const home = () => client.guilds.get(process.env.TEST_GUILD_ID);
const channel = (name) => home().channels.find((each) => each.name === name);

client.once('ready', async () => {
  await client.bulkEditGuildCommands(home().id, commands);
  const about = await client.createCommand(slash('about', 'Who?'));
  await client.editCommand(about.id, { description: 'Who is this?' });
  await channel('bot-test').createMessage('ready');
});

async function world(interaction) {
  const describe = (guild, channels, members, roles) => ({
    guild: guild.name,
    owner: members.find((member) => member.id === guild.ownerID).username,
    channels: Object.fromEntries(channels.map(({ name, type }) => [name, type])),
    members: members.map(({ username }) => username).sort(),
    roles: roles.map(({ name }) => name).sort(),
  });
  const guild = home();
  const all = (collection) => [...collection.values()];
  const cached = describe(guild, all(guild.channels), all(guild.members), all(guild.roles));
  const fresh = await client.getRESTGuild(guild.id);
  const members = await client.getRESTGuildMembers(guild.id, { limit: 100 });
  const fetched = describe(fresh, await client.getRESTGuildChannels(guild.id), members, await client.getRESTGuildRoles(guild.id));
  await interaction.createMessage(JSON.stringify({ cached, fetched }));
}

async function options(interaction) {
  const { options: given, resolved } = interaction.data;
  const seen = {};
  for (const { name, type, value } of given) {
    if (type === Option.USER) seen[name] = resolved.members.get(value).joinedAt && resolved.users.get(value).username;
    else if (type === Option.CHANNEL) seen[name] = client.getChannel(value).name;
    else if (type === Option.ROLE) seen[name] = resolved.roles.get(value).name;
    else if (type === Option.MENTIONABLE) seen[name] = resolved.users.get(value).username;
    else if (type === Option.ATTACHMENT) Object.assign(seen, { file: resolved.attachments[value].filename, size: resolved.attachments[value].size });
    else seen[name] = value;
  }
  await interaction.createMessage(JSON.stringify(seen));
}

const run = {
  ...components.commands,
  tour,
  world,
  options,
  about: (interaction) => interaction.createMessage(client.user.username),
  tree(interaction) {
    let [leaf] = interaction.data.options;
    if (leaf.type === Option.SUB_COMMAND_GROUP) [leaf] = leaf.options;
    return interaction.createMessage([leaf.name, ...(leaf.options ?? []).map(({ value }) => value)].join(' '));
  },
  async think(interaction) {
    await interaction.defer();
    await interaction.editOriginalMessage('thought');
    await interaction.createFollowup('more');
    await interaction.createFollowup({ content: 'whisper', flags: EPHEMERAL });
    const gone = await interaction.createFollowup('gone');
    await interaction.deleteMessage(gone.id);
  },
  secret: (interaction) => interaction.createMessage({ content: 'secret', flags: EPHEMERAL }),
  async edits(interaction) {
    await interaction.defer(EPHEMERAL);
    await interaction.editOriginalMessage('one');
    const followup = await interaction.createFollowup({ content: 'two', flags: EPHEMERAL });
    await interaction.editMessage(followup.id, 'three');
  },
  find: (interaction) => interaction.createMessage(`found ${interaction.data.options[0].value}`),
  async members(interaction) {
    const members = await home().fetchMembers({ presences: true });
    await interaction.createMessage(members.map(({ username }) => username).sort().join(' '));
  },
  Greet: (interaction) => interaction.createMessage(`hello ${interaction.data.resolved.members.get(interaction.data.target_id).username}`),
  Quote(interaction) {
    const message = interaction.data.resolved.messages.get(interaction.data.target_id);
    return interaction.createMessage(`${message.author.username}: ${message.content}`);
  },
};

client.on('interactionCreate', (interaction) => {
  if (interaction instanceof Eris.CommandInteraction) return run[interaction.data.name](interaction);
  if (interaction instanceof Eris.AutocompleteInteraction) {
    const typed = interaction.data.options.find(({ focused }) => focused).value;
    return interaction.result(fruits.filter((name) => name.includes(typed)).map((name) => ({ name, value: name })));
  }
  if (interaction instanceof Eris.ComponentInteraction) return components.press(interaction);
  return components.submit(interaction);
});

client.on('messageCreate', (message) => {
  if (message.author.bot) return undefined;
  if (!message.guildID) return client.createMessage(message.channel.id, `direct ${message.content}`);
  const [, name, text] = message.content.match(/^!(\w+) ?(.*)$/) ?? [];
  return said[name]?.(message, text, client);
});

listen(client, (content) => channel('general').createMessage(content));
client.on('warn', (text) => console.error('warning', text));
client.on('error', (error) => console.error(error));

process.once('SIGTERM', () => {
  client.disconnect({ reconnect: false });
  process.exit(0);
});
client.connect();
