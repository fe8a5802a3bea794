// An ordinary discordeno bot; only `rest.baseUrl` differs from one for discord.com. The gateway follows from
// `GET /gateway/bot`. (`createBot({ rest: { proxy } })` is for a proxy that sees to the rate limits itself.)
import {
  ApplicationCommandOptionTypes as Option, ApplicationCommandTypes, ChannelTypes, Intents, InteractionTypes, MessageFlags, LogLevels,
  commandOptionsParser, createBot, createDesiredPropertiesObject, createLogger,
} from 'discordeno';
import * as components from './components.js';
import { listen } from './events.js';
import { said } from './messages.js';
import { tour } from './tour.js';

const bot = createBot({
  token: process.env.DISCORD_TOKEN,
  intents: Object.values(Intents).filter(Number.isInteger).reduce((all, one) => all | one),
  // All but a new guild's presences, which discordeno reads as if each named its guild.
  desiredProperties: createDesiredPropertiesObject({ guild: { presences: false } }, true),
  gateway: { token: process.env.DISCORD_TOKEN, cache: { requestMembers: { enabled: true } } },
  loggerFactory: (name) => createLogger({ name, logLevel: LogLevels.Warn }),
});
bot.rest.baseUrl = `${process.env.SANDBOX_URL}/api`;

const guildId = BigInt(process.env.TEST_GUILD_ID);
const fruits = ['apple', 'banana', 'cherry', 'mango'];
const option = (name, type, more) => ({ name, description: `A ${name}`, type, ...more });
const slash = (name, description, options, more) => ({ name, description, type: ApplicationCommandTypes.ChatInput, options, ...more });
const commands = [
  slash('world', 'What the bot knows'),
  slash('options', 'All types of options', [
    option('text', Option.String, { required: true, maxLength: 50 }),
    option('whole', Option.Integer, { minValue: 1 }),
    option('flag', Option.Boolean),
    option('user', Option.User),
    option('channel', Option.Channel, { channelTypes: [ChannelTypes.GuildText] }),
    option('role', Option.Role),
    option('mention', Option.Mentionable),
    option('number', Option.Number, { maxValue: 9.5 }),
    option('file', Option.Attachment),
  ]),
  slash('tree', 'Subcommands', [
    option('branch', Option.SubCommandGroup, {
      options: [option('leaf', Option.SubCommand, { options: [option('name', Option.String, { required: true })] })],
    }),
    option('root', Option.SubCommand),
  ]),
  slash('think', 'Answers late'),
  slash('secret', 'Answers to one'),
  slash('edits', 'Edits what one sees'),
  slash('panel', 'Buttons and menus'),
  slash('pick', 'A menu of texts'),
  slash('find', 'Completes', [option('query', Option.String, { autocomplete: true, required: true })]),
  { name: 'Greet', type: ApplicationCommandTypes.User },
  { name: 'Quote', type: ApplicationCommandTypes.Message },
  slash('members', 'Asks the gateway'),
  slash('tour', 'Makes and deletes', [], { defaultMemberPermissions: ['MANAGE_GUILD'] }),
];

// discordeno caches nothing; a bot keeps what it needs of the events.
const cache = { guild: undefined, authors: new Map(), channels: new Map(), users: new Map() };

async function begin(guild) {
  cache.guild = guild;
  await bot.helpers.upsertGuildApplicationCommands(guildId, commands);
  const about = await bot.helpers.createGlobalApplicationCommand(slash('about', 'Who?'));
  await bot.helpers.editGlobalApplicationCommand(about.id, slash('about', 'Who is this?'));
  await bot.helpers.sendMessage(guild.channels.find(({ name }) => name === 'bot-test').id, { content: 'ready' });
}

async function world(interaction) {
  const describe = (guild, channels, members, roles) => ({
    guild: guild.name,
    owner: members.find(({ user }) => user.id === guild.ownerId).user.username,
    channels: Object.fromEntries(channels.map(({ name, type }) => [name, type])),
    members: members.map(({ user }) => user.username).sort(),
    roles: roles.map(({ name }) => name).sort(),
  });
  const { guild } = cache;
  const cached = describe(guild, guild.channels.array(), guild.members.array(), guild.roles.array());
  const { helpers } = bot;
  const fresh = await helpers.getGuild(guildId);
  const fetched = describe(
    fresh, await helpers.getChannels(guildId), await helpers.getMembers(guildId, { limit: 100 }), await helpers.getRoles(guildId),
  );
  await interaction.respond(JSON.stringify({ cached, fetched }));
}

async function options(interaction) {
  const seen = {};
  for (const [name, value] of Object.entries(commandOptionsParser(interaction))) {
    if (name === 'file') Object.assign(seen, { file: value.filename, size: value.size });
    else if (value.user) seen[name] = value.member.joinedAt && value.user.username;
    else seen[name] = value.name ?? value;
  }
  await interaction.respond(JSON.stringify(seen));
}

const run = {
  ...components.commands,
  tour,
  world,
  options,
  about: async (interaction) => interaction.respond((await bot.helpers.getApplicationInfo()).name),
  tree: (interaction) => {
    const given = commandOptionsParser(interaction);
    return interaction.respond(given.branch ? `leaf ${given.branch.leaf.name}` : 'root');
  },
  async think(interaction) {
    await interaction.defer();
    await interaction.edit('thought');
    await interaction.respond('more');
    await interaction.respond({ content: 'whisper', flags: MessageFlags.Ephemeral });
    const gone = await interaction.respond('gone');
    await interaction.delete(gone.id);
  },
  secret: (interaction) => interaction.respond('secret', { isPrivate: true }),
  async edits(interaction) {
    await interaction.defer(true);
    await interaction.edit('one');
    const followup = await interaction.respond({ content: 'two', flags: MessageFlags.Ephemeral });
    await interaction.edit('three', followup.id);
  },
  find: (interaction) => interaction.respond(`found ${commandOptionsParser(interaction).query}`),
  Greet: (interaction) => interaction.respond(`hello ${interaction.data.resolved.users.get(interaction.data.targetId).username}`),
  Quote(interaction) {
    const message = interaction.data.resolved.messages.get(interaction.data.targetId);
    return interaction.respond(`${message.author.username}: ${message.content}`);
  },
  async members(interaction) {
    const members = await bot.gateway.requestMembers(guildId, { limit: 0, presences: true });
    await interaction.respond(members.map(({ user }) => user.username).sort().join(' '));
  },
};
bot.events.interactionCreate = (interaction) => {
  switch (interaction.type) {
    case InteractionTypes.ApplicationCommand:
      return run[interaction.data.name](interaction);
    case InteractionTypes.ApplicationCommandAutocomplete: {
      const typed = interaction.data.options.find(({ focused }) => focused).value;
      const choices = fruits.filter((name) => name.includes(typed)).map((name) => ({ name, value: name }));
      return interaction.respond({ choices });
    }
    case InteractionTypes.MessageComponent:
      return components.press(interaction);
    default:
      return components.submit(interaction);
  }
};

bot.events.messageCreate = (message) => {
  cache.authors.set(message.id, message.author.id);
  if (message.author.bot) return undefined;
  if (!message.guildId) return bot.helpers.sendMessage(message.channelId, { content: `direct ${message.content}` });
  const [, name, text] = message.content.match(/^!(\w+) ?(.*)$/) ?? [];
  return said[name]?.(message, text, bot, cache);
};

listen(bot, cache, guildId, begin);

process.once('SIGTERM', async () => {
  await bot.shutdown();
  process.exit(0);
});
await bot.start();
