// Channels, threads, roles, members, pins, webhooks, invites, bans and polls: made, changed and deleted.
const assert = require('node:assert');
const { Constants } = require('eris');

async function tour(interaction) {
  await interaction.defer();
  const { _client: client, guildID } = interaction;
  const guild = client.guilds.get(guildID);
  const { AuditLogActions, ChannelTypes, PermissionOverwriteTypes, Permissions } = Constants;
  const room = await guild.createChannel('Tour Room', ChannelTypes.GUILD_TEXT, {
    topic: 'first', permissionOverwrites: [{ id: guild.id, type: PermissionOverwriteTypes.ROLE, allow: 0, deny: Permissions.sendMessages }],
  });
  await room.edit({ topic: 'second' });
  await room.editPermission(client.user.id, Permissions.sendMessages, 0, PermissionOverwriteTypes.USER);
  const message = await room.createMessage({ content: 'pinned', allowedMentions: { everyone: false } });
  await message.pin();
  assert.deepEqual((await room.getPins()).map(({ id }) => id), [message.id]);
  await message.unpin();
  const thread = await message.createThreadWithMessage({ name: 'thread' });
  await thread.createMessage('in the thread');
  await thread.edit({ archived: true });
  const role = await guild.createRole({ name: 'Traveller', color: 0xff00ff, permissions: Permissions.voiceConnect });
  const [bob] = await guild.searchMembers('bob');
  await bob.addRole(role.id);
  await bob.edit({ nick: 'Tourist Bob' });
  await bob.edit({ communicationDisabledUntil: new Date(Date.now() + 60_000) });
  await bob.edit({ communicationDisabledUntil: null });
  await bob.removeRole(role.id);
  await role.edit({ name: 'Tourist' });
  await role.delete();
  const [carol] = await guild.searchMembers('carol');
  await carol.ban({ reason: 'tour' });
  assert.deepEqual((await guild.getBans()).map(({ user }) => user.username), ['carol']);
  await guild.unbanMember(carol.id);
  const webhook = await client.createChannelWebhook(room.id, { name: 'hook' });
  const hooked = await client.executeWebhook(webhook.id, webhook.token, { content: 'by a webhook', username: 'Hook', wait: true });
  await client.editWebhookMessage(webhook.id, webhook.token, hooked.id, { content: 'edited by a webhook' });
  await client.deleteWebhookMessage(webhook.id, webhook.token, hooked.id);
  await client.deleteWebhook(webhook.id);
  const invite = await room.createInvite({ maxAge: 60 });
  await client.getInvite(invite.code);
  await invite.delete();
  const answers = ['yes', 'no'].map((text) => ({ poll_media: { text } }));
  const poll = await room.createMessage({ poll: { question: { text: 'Tea?' }, answers, duration: 1, allow_multiselect: false } });
  await client.endPoll(room.id, poll.id);
  const many = [await room.createMessage('a'), await room.createMessage('b')];
  await room.deleteMessages(many.map(({ id }) => id));
  await room.sendTyping();
  const { entries } = await guild.getAuditLog({ limit: 1 });
  assert.deepEqual(entries.map(({ actionType }) => actionType), [AuditLogActions.MESSAGE_BULK_DELETE]);
  const direct = await interaction.member.user.getDMChannel();
  await (await direct.createMessage('direct from the tour')).delete();
  await room.delete();
  await interaction.editOriginalMessage('toured');
}

module.exports = { tour };
