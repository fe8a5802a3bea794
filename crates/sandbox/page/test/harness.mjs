// A sandbox, a bot and a browser for each test file.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../../../..');

/** The program under test. */
const PROGRAM = process.env.SANDBOX_PROGRAM ?? path.join(root, 'target/debug/sandbox');
const CHROMIUM = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
/** With this set, the page's files come from dist/ and not from the program: for work on the page. */
const FROM_DISK = process.env.PAGE_FROM_DISK === '1';

/** Starts a sandbox. Ends with `close()`. */
export async function startSandbox(...options) {
  const folder = await mkdtemp(path.join(tmpdir(), 'sandbox-page-'));
  const stateFile = path.join(folder, 'state.json');
  const child = spawn(PROGRAM, ['serve', '--listen', '127.0.0.1:0', '--state-file', stateFile, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  // The last line of its greeting comes after the state file.
  let text = '';
  for await (const part of child.stdout) {
    text += part;
    if (text.includes('Stop with')) break;
  }
  child.stdout.resume();
  const state = JSON.parse(await readFile(stateFile, 'utf8'));
  const api = async (method, route, body) => {
    const response = await fetch(`${state.url}/sandbox${route && `/${route}`}`, {
      method,
      headers: { authorization: `Bearer ${state.control_secret}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${answer}`);
    return answer ? JSON.parse(answer) : null;
  };
  const overview = await api('GET', '');
  return {
    ...state, api, overview, stateFile, folder, greeting: text,
    guild: overview.guilds[0].id,
    channel: (name) => overview.guilds[0].channels.find((channel) => channel.name === name).id,
    program: PROGRAM,
    async close() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      await rm(folder, { recursive: true });
    },
  };
}

let browser;

export async function startBrowser() {
  browser ??= await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--force-color-profile=srgb', ...(FROM_DISK ? ['--disable-features=LocalNetworkAccessChecks'] : [])],
  });
  return browser;
}

export async function endBrowser() {
  await browser?.close();
  browser = undefined;
}

/** Opens the page as a user. What goes wrong in the page fails the test. */
export async function openPage(sandbox, { as = 'alice', theme = 'dark', width = 1280, height = 800, hash = '', prepare = () => {} } = {}) {
  const context = await (await startBrowser()).newContext({ viewport: { width, height }, colorScheme: theme, locale: 'en-GB', timezoneId: 'UTC' });
  if (FROM_DISK) {
    await context.route(/\/app(\/.*)?$/, async (route) => {
      const name = new URL(route.request().url()).pathname.slice(5) || 'index.html';
      await route.fulfill({ path: path.join(here, '../dist', name) });
    });
  }
  const page = await context.newPage();
  prepare(page);
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    // The browser reports every refused request; the page shows them itself.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) problems.push(message.text());
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== new URL(sandbox.url).origin) problems.push(`loaded ${url}`);
  });
  const { ticket } = await sandbox.api('POST', 'page/tickets');
  await page.goto(`${sandbox.url}/app#ticket=${ticket}&as=${as}${hash}`);
  page.problems = problems;
  page.setDefaultTimeout(8000);
  return page;
}

export const message = (page, text) => page.locator('.message', { hasText: text }).last();

export async function go(page, channel) {
  await page.locator('.channel-name', { hasText: new RegExp(`^\\s*${channel}`) }).first().click();
  await page.locator('.head-bar h1', { hasText: channel }).waitFor();
}

export const box = (page) => page.locator('.composer textarea');

/** Chooses a command from the picker. The form of its options is open then. */
export async function choose(page, title) {
  await box(page).fill(`/${title}`);
  await page.locator('.commands .suggestion', { has: page.getByText(`/${title}`, { exact: true }) }).first().click();
  await page.locator('.command-form').waitFor();
}

/** Runs a command without options. */
export async function run(page, title) {
  await choose(page, title);
  await page.keyboard.press('Enter');
  await page.locator('.command-form').waitFor({ state: 'detached' });
}

export const option = (page, name) => page.locator(`.option input[data-option="${name}"]`);

/** Fails with what went wrong in the page. */
export function clean(page) {
  if (page.problems.length) throw new Error(page.problems.join('\n'));
}

/** A wire to a sandbox that can be cut. */
export async function startProxy(sandbox) {
  const target = new URL(sandbox.url);
  const sockets = new Set();
  let whole = true;
  const server = net.createServer((near) => {
    if (!whole) return near.destroy();
    const far = net.connect(Number(target.port), target.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut() {
      whole = false;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      whole = true;
    },
    close() {
      this.cut();
      server.close();
    },
  };
}
