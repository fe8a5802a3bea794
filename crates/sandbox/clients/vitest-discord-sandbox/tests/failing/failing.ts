// Run by ../kit.test.ts, which looks at what it prints.

import { expect, test } from 'vitest-discord-sandbox';

test('good', async ({ alice }) => {
  await alice.says('hello');
});

test('bad', async ({ sandbox, guild }) => {
  const headers = { authorization: `Bot ${sandbox.token}`, 'content-type': 'application/json' };
  const url = `${sandbox.apiUrl}/channels/${(await guild.channels()).general}/messages`;
  await fetch(url, { method: 'POST', headers, body: JSON.stringify({ content: 'said by the bot' }) });
  expect(1).toBe(2);
});
