import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { keepModals, startBot } from './bot.mjs';
import { box, clean, endBrowser, message, openPage, run, startSandbox } from './harness.mjs';

let sandbox, bot, page, control;

before(async () => {
  control = await startControl();
  sandbox = await startSandbox('--bot-control', control.path);
  bot = keepModals(await startBot(sandbox));
  page = await openPage(sandbox, { width: 1500 });
  await box(page).waitFor();
  await page.getByRole('button', { name: 'Developer drawer' }).click();
});
after(async () => {
  await bot.destroy();
  await endBrowser();
  await sandbox.close();
  control.close();
});

const drawer = () => page.locator('.drawer');
const tab = (name) => drawer().getByRole('tab', { name }).click();

test('an interaction is a waterfall with full bodies', async () => {
  await run(page, 'slow');
  await page.getByText('is thinking…').waitFor();
  bot.emit('release');
  await message(page, 'Thought it over').waitFor();
  const trace = drawer().locator('.trace', { hasText: '/slow' });
  await trace.getByText('deferred', { exact: true }).waitFor();
  await trace.getByText('edited the answer').waitFor();
  await trace.locator('.trace-head').click();
  await trace.getByText('INTERACTION_CREATE').waitFor();
  await trace.locator('.code-block', { hasText: 'Thought it over' }).first().waitFor();
  assert(!(await drawer().innerText()).includes(sandbox.token));
  await drawer().getByLabel('Filter interactions').fill('nothing like it');
  await drawer().getByText('No interaction matches').waitFor();
});

test('an interaction of a bot over HTTP is a waterfall too, and its deliveries are in the log', async () => {
  const server = http.createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ type: 4, data: { content: 'Over HTTP' } }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/`;
  const endpoints = `bots/${bot.user.id}/endpoints`;
  await sandbox.api('PATCH', endpoints, { interactions_endpoint_url: url, verify: false });
  try {
    await run(page, 'ping');
    await message(page, 'Over HTTP').waitFor();
    await drawer().getByLabel('Filter interactions').fill('ping');
    const trace = drawer().locator('.trace', { hasText: '/ping' }).first();
    await trace.getByText('answered with a message').waitFor();
    await tab('Log');
    await drawer().locator('.log-line', { hasText: `INTERACTION_CREATE to ${url} → 200` }).waitFor();
    await tab('Interactions');
    await drawer().getByLabel('Filter interactions').fill('');
  } finally {
    await sandbox.api('PATCH', endpoints, { interactions_endpoint_url: null });
    server.close();
  }
});

test('the log is filtered by kind and searched in bodies', async () => {
  await tab('Log');
  await drawer().locator('.log-line', { hasText: /PATCH/ }).first().waitFor();
  await drawer().getByLabel('Search the log').fill('Thought it over');
  const line = drawer().locator('.log-line', { hasText: /PATCH/ }).first();
  await line.click();
  await drawer().locator('.log .code-block', { hasText: 'Thought it over' }).waitFor();
  await drawer().getByRole('button', { name: 'Requests' }).click();
  await drawer().locator('.log-line', { hasText: /PATCH/ }).first().waitFor({ state: 'detached' });
});

test('sessions, intents, rate limits and the clock are shown', async () => {
  await tab('Sessions');
  await drawer().locator('.admin-list li', { hasText: 'Sandbot' }).getByText('MESSAGE_CONTENT').waitFor();
  await drawer().locator('.meters li').first().waitFor();
  const before = await sandbox.api('GET', 'clock');
  await drawer().getByRole('button', { name: '+16 min' }).click();
  await drawer().getByText('16 minutes ahead').waitFor();
  const after = await sandbox.api('GET', 'clock');
  assert(Date.parse(after.now) - Date.parse(before.now) >= 960_000);
});

test('a fault is injected from the menu, seen, and removed', async () => {
  await tab('Faults');
  await drawer().getByLabel('Fault', { exact: true }).selectOption({ label: 'The next interaction is lost on its way' });
  await drawer().getByRole('button', { name: 'Inject' }).click();
  await drawer().locator('.admin-list li', { hasText: 'INTERACTION_CREATE' }).waitFor();
  await run(page, 'ping');
  await message(page, 'The application did not respond').waitFor({ timeout: 10_000 });
  await drawer().getByLabel('Rule').fill('{ nonsense');
  await drawer().getByRole('button', { name: 'Inject' }).click();
  await page.getByText('This is no JSON').waitFor();
  for (const button of await drawer().getByRole('button', { name: 'Remove' }).all()) await button.click();
  await drawer().getByText('None.').waitFor();
});

test('hot reload shows plugins, diagnostics and times, and reloads, rolls back, watches and restarts', async () => {
  await tab('Hot reload');
  const panel = drawer();
  await panel.locator('.admin-list > li', { hasText: 'commands/general' }).getByText('on probation').waitFor();
  await panel.getByText('Median 500 ms').waitFor();
  await panel.getByText('no method named `as_miles`', { exact: false }).first().waitFor();
  await panel.getByText('commands/general/src/ping.rs:12:79').first().waitFor();
  await panel.locator('.admin-list > li', { hasText: 'commands/general' }).getByRole('button', { name: 'Reload' }).click();
  assert.deepEqual(await control.asked('reload'), { do: 'reload', plugin: 'commands/general' });
  await panel.getByRole('button', { name: 'Generations' }).click();
  await panel.getByRole('button', { name: 'Roll back to it' }).click();
  assert.deepEqual(await control.asked('rollback'), { do: 'rollback', plugin: 'commands/general', generation: 1 });
  await panel.getByRole('button', { name: 'Stop watching' }).click();
  assert.deepEqual(await control.asked('watch'), { do: 'watch', on: false });
  await panel.getByRole('button', { name: 'Restart' }).click();
  assert.deepEqual(await control.asked('restart'), { do: 'restart', now: false });
  control.publish({ at: Date.now(), event: 'reload-completed', plugin: 'commands/general', from: 2, to: 3, ms: 700, parts: {}, changes: ['~ /ping'] });
  await panel.getByText('generation 2 → 3 in 700 ms ~ /ping').waitFor();
  await panel.locator('.failure').waitFor({ state: 'detached' });
});

test('a message knows the generation that was live when its interaction began', async () => {
  const send = (source) => fetch(`${sandbox.url}/api/v10/channels/${sandbox.channel('bot-test')}/messages`, {
    method: 'POST', headers: { authorization: `Bot ${sandbox.token}`, 'content-type': 'application/json', 'x-sandbox-source': source }, body: JSON.stringify({ content: `from ${source}` }),
  });
  await send('commands/general');
  await send('commands/other');
  await message(page, 'from commands/general').waitFor();
  assert.equal((await page.locator('.message', { hasText: 'from commands/general' }).last().locator('.generation').innerText()).trim(), 'commands/general g2');
  assert.equal(await message(page, 'from commands/other').locator('.generation b').count(), 0);
});

test('nothing went wrong in the page', () => clean(page));

/** A program that speaks the protocol of a bot's control socket. */
async function startControl() {
  const file = path.join('/tmp', `page-control-${process.pid}.sock`);
  const asked = [];
  const waiting = [];
  const followers = new Set();
  const now = Date.now();
  const rows = [
    { generation: 2, code_of: 2, stage: 'probation', live_at: now - 60_000, retired_at: null, error: null },
    { generation: 1, code_of: 1, stage: 'retired', live_at: now - 600_000, retired_at: now - 60_000, error: null },
  ];
  const past = [
    { at: now - 60_000, event: 'reload-completed', plugin: 'commands/general', from: 1, to: 2, ms: 500, parts: {}, changes: [] },
    {
      at: now - 30_000, event: 'reload-failed', plugin: 'commands/general', live: 2, reason: '1 compile error',
      diagnostics: [{ level: 'error', code: 'E0599', message: 'no method named `as_miles`', file: 'commands/general/src/ping.rs', line: 12, column: 79, rendered: 'error[E0599]: no method named `as_miles`\n  --> commands/general/src/ping.rs:12:79\n' }],
    },
  ];
  const answers = {
    status: () => ({
      host: { version: '1.0.0', uptime_ms: 5, memory_bytes: null },
      reload: { on: true, watching: true, building: [], held: [], awaiting_restart: [] },
      live: [{ plugin: 'commands/general', generation: 2, version: '1.0.0', age_ms: 5, calls: 0, commands: 3, listeners: 0, tasks: [] }],
      failures: [],
    }),
    generations: () => [{ plugin: 'commands/general', rows }],
    reload: () => ({ reloaded: [{ plugin: 'commands/general' }], failed: [] }),
  };
  const server = net.createServer((socket) => {
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (part) => {
      text += part;
      const lines = text.split('\n');
      text = lines.pop();
      for (const line of lines) {
        const request = JSON.parse(line);
        asked.push(request);
        waiting.splice(0).forEach((wake) => wake());
        if (request.do === 'events') {
          for (const event of past.slice(-request.last || past.length)) socket.write(`${JSON.stringify(event)}\n`);
          followers.add(socket);
        } else socket.write(`${JSON.stringify({ ok: answers[request.do]?.() ?? 'Done.' })}\n`);
      }
    });
  });
  server.listen(file);
  await once(server, 'listening');
  return {
    path: file,
    publish: (event) => followers.forEach((socket) => socket.write(`${JSON.stringify(event)}\n`)),
    async asked(what) {
      for (;;) {
        const found = asked.find((request) => request.do === what);
        if (found) return found;
        await new Promise((wake) => waiting.push(wake));
      }
    },
    close: () => server.close(),
  };
}
