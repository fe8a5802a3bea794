import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest-discord-sandbox';

test('a bot of any language is a process', async ({ sandbox, alice, bob }) => {
  await sandbox.botProcess(process.execPath, [fileURLToPath(new URL('main.js', import.meta.url))]);
  expect((await alice.runs('/ping')).content).toBe('pong');
  expect((await bob.runs('/ping')).callbacks).toBe(1);
});
