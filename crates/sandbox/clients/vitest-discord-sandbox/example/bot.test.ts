import type { Client } from 'discord.js';
import { expect, test as base } from 'vitest-discord-sandbox';

import { createBot } from './bot.js';

// The bot in the process of its tests.
const test = base.extend<{ bot: Client }>({
  bot: async ({ sandbox }, use) => {
    const client = createBot({ rest: sandbox.rest });
    await sandbox.logsIn(() => client.login(sandbox.token));
    await use(client);
    await client.destroy();
  },
});

test('a message is answered', async ({ bot, alice }) => {
  const question = await alice.says('!ping');
  const reply = await alice.hears();
  expect(reply.content).toBe('pong');
  expect(reply.raw.message_reference.message_id).toBe(question.id);
  expect(bot.isReady()).toBe(true);
});

test('a command is answered', async ({ bot: _, alice, bob }) => {
  expect((await alice.runs('/ping')).content).toBe('pong');
  const reply = await alice.runs('/greet', { whom: bob, warmly: true });
  expect(reply).toMatchObject({ content: 'Dearest bob', ephemeral: true });
});

test('buttons and menus', async ({ bot: _, alice, bob }) => {
  const counter = await alice.runs('/count');
  expect(counter.buttons).toEqual(['More']);
  await alice.clicks(counter, 'More');
  expect((await bob.clicks(counter, 'More')).content).toBe('2 times');
  expect((await bob.selects(counter, 'colour', ['blue'])).content).toBe('You like blue.');
});

test('a modal', async ({ bot: _, alice }) => {
  const opened = await alice.runs('/order');
  expect(opened.modal?.title).toBe('Your order');
  expect((await alice.submits(opened, { dish: 'soup' })).content).toBe('One soup, coming up.');
});

test('voice is noticed', async ({ bot: _, alice }) => {
  await alice.joinsVoice('Lounge');
  expect((await alice.hears({ at: 'general' })).content).toBe('alice is in Lounge');
});

test('a rate limit is waited out', async ({ bot: _, alice, sandbox }) => {
  await sandbox.limits('POST', '/channels/*/messages', { retryAfter: 0.3 });
  await alice.says('!ping');
  expect((await alice.hears()).content).toBe('pong');
  const sent = sandbox.log('request').filter((entry) => entry.route === '/channels/{channel.id}/messages');
  expect(sent.map((entry) => entry.status)).toEqual([429, 200]);
});

test('a lost connection loses no message', async ({ bot: _, alice, sandbox }) => {
  await sandbox.dropsConnections();
  await alice.says('!ping');
  expect((await alice.hears({ within: 30_000 })).content).toBe('pong');
  await sandbox.waitFor('resumed');
});

test('a button works when the token of its message is over', async ({ bot: _, alice, sandbox }) => {
  const counter = await alice.runs('/count');
  await sandbox.advance(16 * 60_000);
  expect((await alice.clicks(counter, 'More')).content).toBe('1 times');
});
