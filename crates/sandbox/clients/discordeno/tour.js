// Channels, threads, roles, members, pins, webhooks, invites, bans and polls: made, changed and deleted.
import assert from 'node:assert';
import { AuditLogEvents, ChannelTypes, OverwriteTypes } from 'discordeno';

export async function tour(interaction) {
  await interaction.defer();
  const { bot, guildId } = interaction;
  const { helpers } = bot;
  const room = await helpers.createChannel(guildId, {
    name: 'Tour Room', type: ChannelTypes.GuildText, topic: 'first',
    permissionOverwrites: [{ id: guildId, type: OverwriteTypes.Role, deny: ['SEND_MESSAGES'] }],
  });
  await helpers.editChannel(room.id, { topic: 'second' });
  await helpers.editChannelPermissionOverrides(room.id, { id: bot.id, type: OverwriteTypes.Member, allow: ['SEND_MESSAGES'], deny: [] });
  const send = (content) => helpers.sendMessage(room.id, { content });
  const message = await helpers.sendMessage(room.id, { content: 'pinned', allowedMentions: { parse: [] } });
  await helpers.pinMessage(room.id, message.id);
  assert.deepEqual((await helpers.getPinnedMessages(room.id)).map(({ id }) => id), [message.id]);
  await helpers.unpinMessage(room.id, message.id);
  const thread = await helpers.startThreadWithMessage(room.id, message.id, { name: 'thread', autoArchiveDuration: 60 });
  await helpers.sendMessage(thread.id, { content: 'in the thread' });
  await helpers.editChannel(thread.id, { archived: true });
  const role = await helpers.createRole(guildId, { name: 'Traveller', color: 0xff00ff, permissions: ['CONNECT'] });
  const [bob] = await helpers.searchMembers(guildId, 'bob');
  await helpers.addRole(guildId, bob.id, role.id);
  await helpers.editMember(guildId, bob.id, { nick: 'Tourist Bob' });
  await helpers.editMember(guildId, bob.id, { communicationDisabledUntil: new Date(Date.now() + 60_000).toISOString() });
  await helpers.editMember(guildId, bob.id, { communicationDisabledUntil: null });
  await helpers.removeRole(guildId, bob.id, role.id);
  await helpers.editRole(guildId, role.id, { name: 'Tourist' });
  await helpers.deleteRole(guildId, role.id);
  const [carol] = await helpers.searchMembers(guildId, 'carol');
  await helpers.banMember(guildId, carol.id, {}, 'tour');
  assert.deepEqual((await helpers.getBans(guildId)).map(({ user }) => user.username), ['carol']);
  await helpers.unbanMember(guildId, carol.id);
  const webhook = await helpers.createWebhook(room.id, { name: 'hook' });
  const hooked = await helpers.executeWebhook(webhook.id, webhook.token, { content: 'by a webhook', username: 'Hook', wait: true });
  await helpers.editWebhookMessage(webhook.id, webhook.token, hooked.id, { content: 'edited by a webhook' });
  await helpers.deleteWebhookMessage(webhook.id, webhook.token, hooked.id);
  await helpers.deleteWebhook(webhook.id);
  const invite = await helpers.createInvite(room.id, { maxAge: 60 });
  await helpers.getInvite(invite.code);
  await helpers.deleteInvite(invite.code);
  const answers = ['yes', 'no'].map((text) => ({ pollMedia: { text } }));
  const poll = await helpers.sendMessage(room.id, { poll: { question: { text: 'Tea?' }, answers, duration: 1, allowMultiselect: false } });
  assert.ok((await bot.rest.endPoll(room.id, poll.id)).poll.results.isFinalized);
  await helpers.deleteMessages(room.id, [(await send('a')).id, (await send('b')).id]);
  await helpers.triggerTypingIndicator(room.id);
  const { auditLogEntries } = await helpers.getAuditLog(guildId, { limit: 1 });
  assert.deepEqual(auditLogEntries.map(({ actionType }) => actionType), [AuditLogEvents.MessageBulkDelete]);
  const direct = await helpers.getDmChannel(interaction.user.id);
  const letter = await helpers.sendMessage(direct.id, { content: 'direct from the tour' });
  await helpers.deleteMessage(direct.id, letter.id);
  await helpers.deleteChannel(room.id);
  await interaction.edit('toured');
}
