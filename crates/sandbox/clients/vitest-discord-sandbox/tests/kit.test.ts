// The package itself: what a failed test prints, and the sentences of what fails.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { BotDidNotAnswer, BotEnded, expect, NotHeard, NotSeen, NotStarted, Refused, Sandbox, test } from 'vitest-discord-sandbox';

import { program } from '../src/process.js';

/** Calls REST as the bot. */
async function rest(sandbox: Sandbox, method: string, path: string, body: unknown): Promise<void> {
  const headers = { authorization: `Bot ${sandbox.token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${sandbox.apiUrl}${path}`, { method, headers, body: JSON.stringify(body) });
  expect(answer.status).toBe(200);
}

/** Runs the tests that fail. */
function failing(): Promise<{ code: number; out: string }> {
  const program = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
  const config = fileURLToPath(new URL('failing/vitest.config.ts', import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [program, 'run', '--config', config], (error, stdout, stderr) => {
      resolve({ code: error ? 1 : 0, out: stdout + stderr });
    });
  });
}

test('a failed test prints its log, and a good one nothing', async () => {
  const { code, out } = await failing();
  expect(code).toBe(1);
  expect(out).toContain('discord sandbox of "bad"');
  expect(out).not.toContain('discord sandbox of "good"');
  expect(out).toMatch(/POST \/channels\/\d+\/messages 200, \d+ ms, sent {"content":"said by the bot"}/);
});

test('a bot gets the variables that the program prints', async ({ sandbox }) => {
  const { SANDBOX_URL, SANDBOX_CONTROL_SECRET } = sandbox.env;
  const secrets = { SANDBOX_TOKEN: sandbox.token, SANDBOX_CONTROL_SECRET };
  const env = { ...process.env, ...secrets };
  const { stdout } = await promisify(execFile)(program(), ['--url', SANDBOX_URL!, 'env'], { env });
  const lines = stdout.trim().split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
  expect(sandbox.env).toEqual(Object.fromEntries(lines));
});

test('the log wakes who waits, and has no token', async ({ sandbox, guild, bob }) => {
  const heard = bob.hears({ at: 'general' });
  await rest(sandbox, 'POST', `/channels/${(await guild.channels()).general}/messages`, { content: 'hello' });
  expect((await heard).content).toBe('hello');
  expect((await sandbox.waitFor('request')).request).toEqual({ content: 'hello' });
  expect(await sandbox.logText()).not.toContain(sandbox.token);
});

test('what does not come fails with a sentence', async ({ sandbox, alice }) => {
  await alice.says('anyone?');
  await expect(alice.hears({ within: 100 })).rejects.toThrow(new NotHeard('alice heard no bot in bot-test within 100 ms'));
  await alice.hearsNothing({ within: 50 });
  await expect(sandbox.waitFor('resumed', undefined, { within: 50 })).rejects.toThrow(NotSeen);
  await expect(alice.runs('/nothing', {}, { within: 50 })).rejects.toThrow(Refused);
  await expect(sandbox.actor('dave')).rejects.toThrow('there is no user dave');
});

test('a command without an answer is an error of the test', async ({ sandbox, alice }) => {
  const overview = (await sandbox.call('GET', '')) as { bots: { id: string }[] };
  const commands = [{ name: 'deaf', description: 'd' }];
  await rest(sandbox, 'PUT', `/applications/${overview.bots[0]?.id}/commands`, commands);
  await expect(alice.runs('/deaf')).rejects.toThrow(BotDidNotAnswer);
  expect((await alice.runs('/deaf', {}, { allowError: true })).error).toBe('The application did not respond');
});

test('a bot that ends fails the test at once, with its output', async ({ sandbox }) => {
  const crash = 'console.log("my last words"); process.exit(3)';
  const started = sandbox.botProcess(process.execPath, ['-e', crash]);
  await expect(started).rejects.toThrow(BotEnded);
  await expect(started).rejects.toThrow(/exit code 3; its output:\nmy last words/);
  const other = Sandbox.start();
  await using second = await other;
  await expect(second.botProcess('/no/such/program')).rejects.toThrow(/ENOENT/);
});

test('without the program, one sentence says what to do', async () => {
  const { SANDBOX_BIN, PATH } = process.env;
  try {
    delete process.env.SANDBOX_BIN;
    process.env.PATH = '/nowhere';
    await expect(Sandbox.start()).rejects.toThrow(NotStarted);
    await expect(Sandbox.start()).rejects.toThrow(/no program `sandbox` in PATH; build it .* SANDBOX_BIN/);
    process.env.SANDBOX_BIN = '/no/such/program';
    await expect(Sandbox.start()).rejects.toThrow('SANDBOX_BIN is /no/such/program, which is no program');
  } finally {
    process.env.PATH = PATH;
    if (SANDBOX_BIN !== undefined) process.env.SANDBOX_BIN = SANDBOX_BIN;
  }
  await expect(Sandbox.start(['--no-such-thing'])).rejects.toThrow(/did not start: .*--no-such-thing/);
});
