// Ten thousand messages, and two hundred a second.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { box, clean, endBrowser, go, message, openPage, startSandbox } from './harness.mjs';

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
  const at = (share) => frames[Math.floor(frames.length * share)];
  console.log(`frames: median ${at(0.5).toFixed(1)} ms, 95 % ${at(0.95).toFixed(1)} ms, longest ${frames.at(-1).toFixed(1)} ms; at most ${most} rows; scrolled to number ${oldest}`);
  assert(most < 200, `${most} rows are in the document`);
  assert(oldest < 9500, `it was scrolled to ${oldest} only`);
  assert(!QUIET || at(0.5) < 20, 'half of the frames take longer than 20 ms');
  clean(page);
  await page.context().close();
});

test('two pages get every message in order while a bot sends two hundred a second', async () => {
  const received = [[], []];
  const pages = [];
  for (const [index, as] of ['alice', 'bob'].entries()) {
    const prepare = (page) => page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => {
      for (const change of JSON.parse(payload).changes ?? []) {
        const number = /^load (\d+)/.exec(change.message?.content)?.[1];
        if (number) received[index].push(Number(number));
      }
    }));
    const page = await openPage(sandbox, { as, prepare });
    await box(page).waitFor();
    await page.evaluate(() => {
      // What is drawn is in order at all times.
      window.disorder = 0;
      new MutationObserver(() => {
        const numbers = [...document.querySelectorAll('.message .content')].map((row) => Number(/load (\d+)/.exec(row.textContent)?.[1]));
        if (numbers.some((number, at) => at > 0 && number !== numbers[at - 1] + 1)) window.disorder += 1;
      }).observe(document.querySelector('.messages'), { childList: true });
    });
    pages.push(page);
  }
  const headers = { authorization: `Bot ${sandbox.token}`, 'content-type': 'application/json' };
  const url = `${sandbox.url}/api/v10/channels/${sandbox.channel('bot-test')}/messages`;
  const total = SECONDS * RATE;
  const memory = [];
  const latencies = [];
  const begun = performance.now();
  // One after the other, so that their order is known.
  for (let n = 0; n < total; n += 1) {
    const start = performance.now();
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ content: `load ${n}` }) });
    await response.arrayBuffer();
    latencies.push(performance.now() - start);
    if (n % (RATE * 5) === 0) memory.push(await pages[0].evaluate(() => performance.memory.usedJSHeapSize));
    const wait = begun + ((n + 1) * 1000) / RATE - performance.now();
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
  }
  const took = (performance.now() - begun) / 1000;
  for (const [index, page] of pages.entries()) {
    await message(page, `load ${total - 1}`).waitFor();
    assert.deepEqual(received[index], Array.from({ length: total }, (_, n) => n));
    assert.equal(await page.evaluate(() => window.disorder), 0);
    clean(page);
  }
  memory.push(await pages[0].evaluate(() => performance.memory.usedJSHeapSize));
  latencies.sort((a, b) => a - b);
  console.log(`${total} messages in ${took.toFixed(1)} s (${(total / took).toFixed(0)} a second); the bot's requests: median ${latencies[total >> 1].toFixed(2)} ms, 99 % ${latencies[Math.floor(total * 0.99)].toFixed(2)} ms; heap ${memory.map((bytes) => (bytes / 1e6).toFixed(0)).join(', ')} MB`);
  for (const page of pages) await page.context().close();
});
