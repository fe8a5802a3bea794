// Channels, threads, roles, members, pins, webhooks, invites, bans and polls: made, changed and deleted.
const assert = require('node:assert');
const { AuditLogActionTypes, ChannelTypes, OverwriteTypes, Permissions } = require('oceanic.js');

async function tour(interaction) {
  await interaction.defer();
  const { client, guild } = interaction;
  const room = await guild.createChannel(ChannelTypes.GUILD_TEXT, {
    name: 'Tour Room', topic: 'first', permissionOverwrites: [{ id: guild.id, type: OverwriteTypes.ROLE, deny: Permissions.SEND_MESSAGES }],
  });
  await room.edit({ topic: 'second' });
  await room.editPermission(client.user.id, { type: OverwriteTypes.MEMBER, allow: Permissions.SEND_MESSAGES });
  const message = await room.createMessage({ content: 'pinned', allowedMentions: { everyone: false } });
  await message.pin();
  assert.deepEqual((await room.getPins()).map((pin) => pin.message.id), [message.id]);
  await message.unpin();
  const thread = await message.startThread({ name: 'thread' });
  await thread.createMessage({ content: 'in the thread' });
  await thread.edit({ archived: true });
  const role = await guild.createRole({ name: 'Traveller', colors: { primaryColor: 0xff00ff }, permissions: String(Permissions.CONNECT) });
  const [bob] = await guild.searchMembers({ query: 'bob' });
  await bob.addRole(role.id);
  await bob.edit({ nick: 'Tourist Bob' });
  await bob.edit({ communicationDisabledUntil: new Date(Date.now() + 60_000).toISOString() });
  await bob.edit({ communicationDisabledUntil: null });
  await bob.removeRole(role.id);
  await role.edit({ name: 'Tourist' });
  await role.delete();
  const [carol] = await guild.searchMembers({ query: 'carol' });
  await carol.ban({ reason: 'tour' });
  assert.deepEqual((await guild.getBans()).map(({ user }) => user.username), ['carol']);
  await carol.unban();
  const webhook = await room.createWebhook({ name: 'hook' });
  const hooked = await webhook.execute({ content: 'by a webhook', username: 'Hook', wait: true });
  await webhook.editMessage(hooked.id, { content: 'edited by a webhook' });
  await webhook.deleteMessage(hooked.id);
  await webhook.delete();
  const invite = await room.createInvite({ maxAge: 60 });
  await client.rest.channels.getInvite(invite.code);
  await invite.deleteInvite();
  const answers = ['yes', 'no'].map((text) => ({ pollMedia: { text } }));
  const poll = await room.createMessage({ poll: { question: { text: 'Tea?' }, answers, duration: 1, allowMultiselect: false } });
  await poll.expire();
  const many = [await room.createMessage({ content: 'a' }), await room.createMessage({ content: 'b' })];
  await room.deleteMessages(many.map(({ id }) => id));
  await room.sendTyping();
  const { entries } = await guild.getAuditLog({ limit: 1 });
  assert.deepEqual(entries.map(({ actionType }) => actionType), [AuditLogActionTypes.MESSAGE_BULK_DELETE]);
  const direct = await interaction.user.createDM();
  await (await direct.createMessage({ content: 'direct from the tour' })).delete();
  await room.delete();
  await interaction.editOriginal({ content: 'toured' });
}

module.exports = { tour };
