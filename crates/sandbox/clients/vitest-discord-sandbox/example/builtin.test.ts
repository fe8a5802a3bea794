import { fileURLToPath } from 'node:url';

import { expect, Sandbox } from 'vitest-discord-sandbox';
import { test } from 'vitest';

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

// The sandbox has the names of Discord, by a certificate that this bot alone trusts, and Node.js leads them to it.
test('a bot with built-in hosts needs no change', async () => {
  const names = ['discord.com', 'gateway.discord.gg', 'cdn.discordapp.com'];
  await using sandbox = await Sandbox.start(names.flatMap((name) => ['--tls-name', name]));
  await sandbox.botProcess(process.execPath, ['--import', here('names.mjs'), here('builtin.mjs')]);
  const alice = await sandbox.actor('alice');
  expect((await alice.runs('/ping')).content).toBe('pong');
});
