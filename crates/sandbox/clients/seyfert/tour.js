// Channels, threads, roles, members, pins, webhooks, invites, bans and polls: made, changed and deleted.
const assert = require('node:assert');
const { AuditLogEvent, ChannelType, OverwriteType, PermissionFlagsBits, PollBuilder } = require('seyfert');

async function tour(ctx) {
  await ctx.deferReply();
  const { client, guildId } = ctx;
  const { channels, members, messages, roles, threads, webhooks, bans, invites } = client;
  const silent = String(PermissionFlagsBits.SendMessages);
  const room = await client.guilds.channels.create(guildId, {
    name: 'Tour Room', type: ChannelType.GuildText, topic: 'first',
    permission_overwrites: [{ id: guildId, type: OverwriteType.Role, deny: silent }],
  });
  await channels.edit(room.id, { topic: 'second' });
  await channels.editOverwrite(room.id, client.botId, { type: OverwriteType.Member, allow: silent });
  const message = await messages.write(room.id, { content: 'pinned' });
  await channels.setPin(message.id, room.id);
  assert.deepEqual((await channels.pins(room.id)).items.map((pin) => pin.message.id), [message.id]);
  await channels.deletePin(message.id, room.id);
  const thread = await threads.fromMessage(room.id, message.id, { name: 'thread' });
  await messages.write(thread.id, { content: 'in the thread' });
  await threads.edit(thread.id, { archived: true });
  const role = await roles.create(guildId, { name: 'Traveller', color: 0xff00ff, permissions: String(PermissionFlagsBits.Connect) });
  const [bob] = await members.search(guildId, { query: 'bob' });
  await members.addRole(guildId, bob.id, role.id);
  await bob.edit({ nick: 'Tourist Bob' });
  await bob.timeout(60_000);
  await bob.timeout(null);
  await members.removeRole(guildId, bob.id, role.id);
  await role.edit({ name: 'Tourist' });
  await role.delete();
  const [carol] = await members.search(guildId, { query: 'carol' });
  await carol.ban({}, 'tour');
  assert.deepEqual((await bans.list(guildId, {}, true)).map(({ user }) => user.username), ['carol']);
  await bans.remove(guildId, carol.id);
  const webhook = await webhooks.create(room.id, { name: 'hook' });
  const { id: hook, token } = webhook;
  const hooked = await webhooks.writeMessage(hook, token, { body: { content: 'by a webhook', username: 'Hook' }, query: { wait: true } });
  await webhooks.editMessage(hook, token, { messageId: hooked.id, body: { content: 'edited by a webhook' } });
  await webhooks.deleteMessage({ webhookId: hook, token, messageId: hooked.id });
  await webhooks.delete(hook, { token });
  const invite = await client.proxy.channels(room.id).invites.post({ body: { max_age: 60 } });
  await invites.get(invite.code);
  await invites.delete(invite.code);
  const poll = new PollBuilder().setQuestion({ text: 'Tea?' }).setAnswers({ text: 'yes' }, { text: 'no' }).setDuration(1);
  const asked = await messages.write(room.id, { poll });
  assert.ok((await asked.endPoll()).poll.results.isFinalized);
  const many = [await messages.write(room.id, { content: 'a' }), await messages.write(room.id, { content: 'b' })];
  await messages.purge(many.map(({ id }) => id), room.id);
  await channels.typing(room.id);
  const { audit_log_entries: entries } = await client.proxy.guilds(guildId)['audit-logs'].get({ query: { limit: 1 } });
  assert.deepEqual(entries.map((entry) => entry.action_type), [AuditLogEvent.MessageBulkDelete]);
  await (await ctx.author.write({ content: 'direct from the tour' })).delete();
  await channels.delete(room.id);
  await ctx.editResponse({ content: 'toured' });
}

module.exports = { tour };
