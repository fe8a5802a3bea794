// Ten thousand messages, and two hundred a second.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { box, clean, endBrowser, go, here, message, openPage, startSandbox } from './harness.mjs';

/** Seconds of messages; more of them show whether memory levels off. */
const SECONDS = Number(process.env.PAGE_LOAD_SECONDS ?? 10);
const RATE = 200;
/** Whether times are checked and not only printed: for a machine that does nothing else. */
const QUIET = process.env.PAGE_TIMES === '1';
let sandbox;

before(async () => {
  sandbox = await startSandbox('--no-rate-limits');
});
after(async () => {
  await endBrowser();
  await sandbox.close();
});

const send = (channel, content, as = 'bob') => sandbox.api('POST', 'messages', { as, channel, content });

test('it is there at once', async () => {
  const page = await openPage(sandbox);
  await box(page).waitFor();
  const times = [];
  for (let n = 0; n < 5; n += 1) {
    await page.reload();
    await box(page).waitFor();
    times.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime));
  }
  times.sort((a, b) => a - b);
  console.log(`first paint: ${times.map(Math.round).join(', ')} ms`);
  assert(!QUIET || times[0] < 300, `the first paint takes ${times[0]} ms`);
  clean(page);
  await page.context().close();
});

test('ten thousand messages are scrolled through smoothly, with few rows in the document', async () => {
  const texts = Array.from({ length: 10_000 }, (_, n) => `number ${n}${n % 7 ? '' : '\n**with** a second line and `code`'}`);
  for (let at = 0; at < texts.length; at += 50) await Promise.all(texts.slice(at, at + 50).map((text) => send('general', text)));
  const page = await openPage(sandbox);
  await go(page, 'general');
  await page.locator('.message').nth(40).waitFor();
  const list = page.locator('.list');
  await list.hover();
  const measure = page.evaluate(() => new Promise((resolve) => {
    const frames = [];
    let last = performance.now();
    let most = 0;
    const step = (now) => {
      frames.push(now - last);
      last = now;
      most = Math.max(most, document.querySelectorAll('.message').length);
      if (window.done) resolve({ frames, most });
      else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }));
  let oldest = Infinity;
  for (let n = 0; n < 150; n += 1) {
    await page.mouse.wheel(0, -900);
    await page.waitForTimeout(16);
  }
  await page.evaluate(() => { window.done = true; });
  const { frames, most } = await measure;
  const first = await page.locator('.message .content').first().innerText();
  oldest = Number(/number (\d+)/.exec(first)[1]);
  frames.sort((a, b) => a - b);
  console.log(`frames: median ${at(frames, 0.5).toFixed(1)} ms, 95 % ${at(frames, 0.95).toFixed(1)} ms, longest ${frames.at(-1).toFixed(1)} ms; at most ${most} rows; scrolled to number ${oldest}`);
  assert(most < 200, `${most} rows are in the document`);
  assert(oldest < 9500, `it was scrolled to ${oldest} only`);
  assert(!QUIET || at(frames, 0.5) < 20, 'half of the frames take longer than 20 ms');
  clean(page);
  await page.context().close();
});

test('a page that nobody sees is not drawn until somebody does', async () => {
  const page = await openPage(sandbox);
  await box(page).waitFor();
  const look = (hidden) => page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
  await look(true);
  await send('bot-test', 'while nobody looks <@' + (await page.evaluate(() => sessionStorage.getItem('as'))) + '>');
  // Its title says that there is something.
  await page.waitForFunction(() => document.title.startsWith('(1)'));
  assert.equal(await page.locator('.message', { hasText: 'while nobody looks' }).count(), 0);
  await look(false);
  await message(page, 'while nobody looks').waitFor();
  clean(page);
  await page.context().close();
});

test('rows of a flood have their buttons when they are pointed at, and all of them when it is over', async () => {
  const page = await openPage(sandbox);
  await go(page, 'general');
  await box(page).waitFor();
  const sent = sendLoad('flood', RATE * 2, 'general');
  await page.locator('.message:not(:has(.hover))').first().waitFor();
  await page.locator('.messages').hover();
  await page.locator('.message:hover .hover').first().waitFor();
  await sent;
  await message(page, `flood ${RATE * 2 - 1}`).getByRole('button', { name: 'Reply', includeHidden: true }).waitFor({ state: 'attached' });
  clean(page);
  await page.context().close();
});

/** Lets the bot send numbered messages that begin with this word. */
async function sendLoad(word, count, channel = 'bot-test') {
  const url = `${sandbox.url}/api/v10/channels/${sandbox.channel(channel)}/messages`;
  const child = spawn(process.execPath, [path.join(here, 'load-bot.mjs'), url, word, String(count), String(RATE)], { env: { ...process.env, DISCORD_TOKEN: sandbox.token }, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const part of child.stdout) text += part;
  return JSON.parse(text);
}

/** Returns the processor seconds of this process's children of that name, and of theirs. */
async function processorSeconds(name) {
  const all = new Map();
  for (const pid of (await readdir('/proc')).filter((one) => /^\d+$/.test(one))) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const [, command, rest] = /\((.*)\) (.*)/s.exec(stat) ?? [];
    if (!rest) continue;
    const fields = rest.split(' ');
    all.set(Number(pid), { command, parent: Number(fields[1]), ticks: fields.slice(11, 15).reduce((sum, one) => sum + Number(one), 0) });
  }
  const isOurs = (one) => one && (one.parent === process.pid || isOurs(all.get(one.parent)));
  const ours = [...all.values()].filter((one) => one.command.startsWith(name) && isOurs(one));
  return ours.reduce((sum, one) => sum + one.ticks, 0) / 100;
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
const ascending = (numbers) => [...numbers].sort((a, b) => a - b);

test('two pages get every message in order while a bot sends two hundred a second', async () => {
  // The same without a page, before and after.
  const alone = Math.min(SECONDS, 30) * RATE / 2;
  await sendLoad('warm', RATE * 2);
  const without = (await sendLoad('alone', alone)).took;
  const pages = [];
  for (const as of ['alice', 'bob']) {
    const page = await openPage(sandbox, {
      as,
      prepare: (page) => page.addInitScript(() => {
        window.received = [];
        window.WebSocket = class extends WebSocket {
          constructor(address) {
            super(address);
            this.addEventListener('message', ({ data }) => {
              for (const [, number] of String(data).matchAll(/"content":"load (\d+)"/g)) window.received.push(Number(number));
            });
          }
        };
      }),
    });
    await box(page).waitFor();
    await page.evaluate(() => {
      // What is drawn is in order at all times.
      window.disorder = 0;
      window.drawings = 0;
      new MutationObserver(() => {
        window.drawings += 1;
        const texts = [...document.querySelectorAll('.message .content')].map((row) => /^load (\d+)/.exec(row.textContent)?.[1]);
        const numbers = texts.filter((text) => text !== undefined).map(Number);
        if (numbers.some((number, at) => at > 0 && number !== numbers[at - 1] + 1)) window.disorder += 1;
      }).observe(document.querySelector('.messages'), { childList: true });
    });
    pages.push(page);
  }
  const total = SECONDS * RATE;
  const memory = [];
  const measure = async () => memory.push(await pages[0].evaluate(() => performance.memory.usedJSHeapSize));
  const timer = setInterval(() => void measure(), 5000);
  const before = { chromium: await processorSeconds('chrom'), sandbox: await processorSeconds('sandbox') };
  const { took, seconds } = await sendLoad('load', total);
  clearInterval(timer);
  for (const page of pages) await message(page, `load ${total - 1}`).waitFor();
  const used = { chromium: await processorSeconds('chrom') - before.chromium, sandbox: await processorSeconds('sandbox') - before.sandbox };
  await measure();
  const drawings = [];
  for (const page of pages) {
    const { received, disorder, drawings: drawn } = await page.evaluate(() => ({ received: window.received, disorder: window.disorder, drawings: window.drawings }));
    drawings.push(drawn);
    assert.deepEqual(received, Array.from({ length: total }, (_, n) => n));
    assert.equal(disorder, 0);
    clean(page);
    await page.context().close();
  }
  without.push(...(await sendLoad('alone', alone)).took);
  const [with_, without_] = [ascending(took), ascending(without)];
  const ratio = (share) => at(with_, share) / at(without_, share);
  const each = (value) => ((value * 1000) / total).toFixed(2);
  console.log(`${total} messages in ${seconds.toFixed(1)} s (${(total / seconds).toFixed(0)} a second), drawn ${drawings.join(' and ')} times`);
  console.log(`processor seconds for 1,000 messages: Chromium ${each(used.chromium)}, sandbox ${each(used.sandbox)}; heap ${memory.map((bytes) => (bytes / 1e6).toFixed(0)).join(', ')} MB`);
  console.log(`the bot's requests: median ${at(with_, 0.5).toFixed(2)} ms, 99 % ${at(with_, 0.99).toFixed(2)} ms; without a page ${at(without_, 0.5).toFixed(2)} and ${at(without_, 0.99).toFixed(2)} ms: ${ratio(0.5).toFixed(2)} and ${ratio(0.99).toFixed(2)} times`);
  assert(!QUIET || ratio(0.5) <= 1.1, `the bot waits ${ratio(0.5).toFixed(2)} times as long with two pages`);
});
