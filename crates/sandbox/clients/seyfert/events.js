// The start, messages, and what happens in the guild, which is reported in #general.
const { createEvent } = require('seyfert');
const { said } = require('./messages');

const home = process.env.TEST_GUILD_ID;

async function find(client, name) {
  const channels = await client.cache.channels.values(home);
  return channels.find((channel) => channel.name === name).id;
}

const on = (name, run, once = false) => createEvent({ data: { name, once }, run });
const reported = (name, text) => on(name, async (data, client) => {
  const content = await text(data, client);
  if (content) await client.messages.write(await find(client, 'general'), { content });
});
const user = async (client, id) => (await client.cache.users.get(id)).username;

exports.events = [
  on('botReady', async (me, client) => {
    await client.uploadCommands();
    await client.messages.write(await find(client, 'bot-test'), { content: 'ready' });
  }, true),
  on('messageCreate', (message) => {
    if (message.author.bot) return undefined;
    if (!message.guildId) return message.write({ content: `direct ${message.content}` });
    const [, name, text] = message.content.match(/^!(\w+) ?(.*)$/) ?? [];
    return said[name]?.(message, text);
  }),
  reported('guildMemberAdd', (member) => `join ${member.username}`),
  reported('guildMemberRemove', ({ user: { username } }) => `leave ${username}`),
  reported('guildMemberUpdate', ([member]) => member.nick === 'Bobby' && `member ${member.username} ${member.nick}`),
  reported('messageUpdate', ([message]) => !message.author.bot && `edit ${message.content}`),
  reported('messageDelete', (message) => message.author?.username === 'carol' && `delete ${message.id}`),
  reported('messageReactionAdd', async ({ userId, emoji }, client) => userId !== client.botId && `react ${emoji.name} ${await user(client, userId)}`),
  reported('messageReactionRemove', async ({ userId, emoji }, client) => userId !== client.botId && `unreact ${emoji.name} ${await user(client, userId)}`),
  reported('presenceUpdate', async ([{ user: { id }, status, activities }], client) => {
    const name = await user(client, id);
    return name === 'bob' && activities.length && `presence ${name} ${status} ${activities[0].name}`;
  }),
  reported('typingStart', async ({ userId }, client) => userId !== client.botId && `typing ${await user(client, userId)}`),
  reported('voiceStateUpdate', async ([{ userId, channelId }], client) => {
    const channel = channelId && await client.channels.fetch(channelId);
    return `voice ${await user(client, userId)} ${channel ? channel.name : 'none'}`;
  }),
  reported('channelCreate', (channel) => channel.name === 'news' && `channel ${channel.name}`),
  reported('guildRoleCreate', (role) => role.name === 'Artist' && `role ${role.name}`),
  reported('guildCreate', (guild) => guild.name === 'Second' && `guild ${guild.name}`),
  reported('threadCreate', (thread) => thread.name === 'First' && 'thread First'),
  reported('threadUpdate', ([thread]) => thread.name === 'First' && thread.threadMetadata.archived && 'archived First'),
  reported('messagePollVoteAdd', async ({ userId }, client) => `vote ${await user(client, userId)}`),
  reported('messagePollVoteRemove', async ({ userId }, client) => `unvote ${await user(client, userId)}`),
];
