// What happens in the guild, reported in #general.
function listen(client, report) {
  const name = (id) => client.users.get(id).username;
  client.on('guildMemberAdd', (member) => report(`join ${member.username}`));
  client.on('guildMemberRemove', (member) => report(`leave ${member.username}`));
  client.on('guildMemberUpdate', (member) => member.nick === 'Bobby' && report(`member ${member.username} ${member.nick}`));
  client.on('messageUpdate', (message) => !message.author.bot && report(`edit ${message.content}`));
  client.on('messageDelete', (message) => message.author?.username === 'carol' && report(`delete ${message.id}`));
  client.on('messageReactionAdd', (message, { id }, { emoji }) => id !== client.user.id && report(`react ${emoji.name} ${name(id)}`));
  client.on('messageReactionRemove', (message, { id }, { emoji }) => id !== client.user.id && report(`unreact ${emoji.name} ${name(id)}`));
  client.on('presenceUpdate', (guild, { id }, { status, activities }) => name(id) === 'bob' && activities.length
    && report(`presence bob ${status} ${activities[0].name}`));
  client.on('typingStart', (channel, { id }) => id !== client.user.id && report(`typing ${name(id)}`));
  client.on('voiceChannelJoin', (member, channel) => report(`voice ${member.username} ${channel.name}`));
  client.on('voiceChannelLeave', (member) => report(`voice ${member.username} none`));
  client.on('channelCreate', (channel) => channel.name === 'news' && report(`channel ${channel.name}`));
  client.on('guildRoleCreate', (role) => role.name === 'Artist' && report(`role ${role.name}`));
  client.on('guildCreate', (guild) => report(`guild ${guild.name}`));
  client.on('threadCreate', (thread) => thread.name === 'First' && report('thread First'));
  client.on('threadUpdate', (thread) => thread.name === 'First' && thread.threadMetadata.archived && report('archived First'));
  client.on('messagePollVoteAdd', (message, { id }) => report(`vote ${name(id)}`));
  client.on('messagePollVoteRemove', (message, { id }) => report(`unvote ${name(id)}`));
}

module.exports = { listen };
