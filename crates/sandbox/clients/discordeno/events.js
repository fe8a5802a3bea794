// What happens in the guild, reported in #general.
import { PresenceStatus } from 'discordeno';

export function listen(bot, cache, home, begin) {
  const report = (content) => bot.helpers.sendMessage(cache.guild.channels.find(({ name }) => name === 'general').id, { content });
  const name = (id) => cache.users.get(id)?.username;
  const others = (id) => id !== bot.id;
  const { events } = bot;
  events.guildCreate = (guild) => {
    guild.members.forEach(({ user }) => cache.users.set(user.id, user));
    guild.channels.forEach((channel) => cache.channels.set(channel.id, channel));
    if (guild.id !== home) return report(`guild ${guild.name}`);
    return cache.guild ? undefined : begin(guild);
  };
  events.guildMemberAdd = (member, user) => {
    cache.users.set(user.id, user);
    return report(`join ${user.username}`);
  };
  events.guildMemberRemove = (user) => report(`leave ${user.username}`);
  events.guildMemberUpdate = (member, user) => member.nick === 'Bobby' && report(`member ${user.username} ${member.nick}`);
  events.messageUpdate = (message) => !message.author.bot && report(`edit ${message.content}`);
  events.messageDelete = ({ id }) => name(cache.authors.get(id)) === 'carol' && report(`delete ${id}`);
  events.reactionAdd = ({ userId, emoji }) => others(userId) && report(`react ${emoji.name} ${name(userId)}`);
  events.reactionRemove = ({ userId, emoji }) => others(userId) && report(`unreact ${emoji.name} ${name(userId)}`);
  events.presenceUpdate = ({ user, status, activities }) => name(user.id) === 'bob' && activities.length
    && report(`presence bob ${PresenceStatus[status]} ${activities[0].name}`);
  events.typingStart = ({ userId }) => others(userId) && report(`typing ${name(userId)}`);
  events.voiceStateUpdate = ({ userId, channelId }) => report(`voice ${name(userId)} ${channelId ? cache.channels.get(channelId).name : 'none'}`);
  events.channelCreate = (channel) => channel.name === 'news' && report(`channel ${channel.name}`);
  events.roleCreate = (role) => role.name === 'Artist' && report(`role ${role.name}`);
  events.threadCreate = (thread) => thread.name === 'First' && report('thread First');
  events.threadUpdate = (thread) => thread.name === 'First' && thread.archived && report('archived First');
  events.messagePollVoteAdd = ({ userId }) => report(`vote ${name(userId)}`);
  events.messagePollVoteRemove = ({ userId }) => report(`unvote ${name(userId)}`);
}
