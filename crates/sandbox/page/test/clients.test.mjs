// The bots of crates/sandbox/clients, each of another library, driven through the page alone. `./dev-env.sh test` puts them in
// place; a library that is not there is left out, and said so.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { box, choose, clean, endBrowser, here, message, openPage, option, run, startSandbox } from './harness.mjs';

const sources = path.resolve(here, '../../clients');
const target = process.env.CARGO_TARGET_DIR ?? path.resolve(here, '../../../../target');
const prepared = path.join(target, 'clients');
/** What starts each bot, and what puts it in place. */
const libraries = {
  'discord.js': { command: ['node', path.join(prepared, 'discord.js/bot.js')], by: 'crates/sandbox/clients/run --prepare discord.js' },
  'discord.py': { command: [path.join(prepared, 'discord.py/venv/bin/python'), path.join(sources, 'discord.py/bot.py')], by: 'crates/sandbox/clients/run --prepare discord.py' },
  serenity: { command: [path.join(target, 'debug/examples/serenity-client')], by: 'cargo build -p plain-poise --example serenity-client' },
};

after(endBrowser);

for (const [name, { command, by }] of Object.entries(libraries)) {
  const missing = command.find((part) => part.includes('/') && !existsSync(part));
  const skip = missing && `not in place; ${by} does that`;
  test(`a bot of ${name} is driven through the page`, { skip }, async () => {
    // serenity takes another address only with its rate limiter off.
    const sandbox = await startSandbox(...(name === 'serenity' ? ['--no-rate-limits'] : []));
    const environment = { ...process.env, SANDBOX_URL: sandbox.url, DISCORD_TOKEN: sandbox.token };
    const bot = spawn(command[0], command.slice(1), { env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
    const page = await openPage(sandbox);
    try {
      await box(page).waitFor();
      await message(page, 'ready').waitFor({ timeout: 30_000 });
      await scenario(page);
      clean(page);
    } finally {
      await page.context().close();
      bot.kill('SIGTERM');
      if (bot.exitCode === null && bot.signalCode === null) await once(bot, 'exit');
      await sandbox.close();
    }
  });
}

async function scenario(page) {
  await choose(page, 'options');
  await option(page, 'text').fill('hello');
  await page.locator('.more-options').click();
  await page.locator('.command-form button.suggestion', { has: page.getByText('user', { exact: true }) }).click();
  await page.locator('#choices .suggestion', { hasText: 'Bob' }).first().click();
  await page.locator('.command-form').getByRole('button', { name: 'Send' }).click();
  await message(page, '"user": "bob"').or(message(page, '"user":"bob"')).first().waitFor();

  await choose(page, 'tree branch leaf');
  await option(page, 'name').fill('oak');
  await page.keyboard.press('Enter');
  await message(page, 'leaf oak').waitFor();

  await run(page, 'think');
  await message(page, 'thought').waitFor();
  await message(page, 'more').waitFor();
  await message(page, 'whisper').getByText('Only you can see this').waitFor();
  await page.locator('.message .content', { hasText: /^gone/ }).waitFor({ state: 'detached' });

  await choose(page, 'find');
  await option(page, 'query').fill('ban');
  await page.locator('#choices .suggestion', { hasText: 'banana' }).click();
  await page.keyboard.press('Enter');
  await message(page, 'found banana').waitFor();

  await run(page, 'panel');
  const count = page.getByRole('button', { name: 'count' });
  await count.click();
  const panel = page.locator('.message', { has: count });
  await panel.locator('.content', { hasText: /^1/ }).waitFor();
  await panel.getByRole('button', { name: 'ask' }).click();
  const form = page.getByRole('dialog', { name: 'A question' });
  await form.getByLabel('name').fill('Ada');
  await form.getByLabel('about').fill('engines');
  await form.getByRole('button', { name: 'Submit' }).click();
  await message(page, 'name=Ada about=engines').waitFor();
  await panel.getByRole('button', { name: 'close' }).click();
  await page.locator('.message .content', { hasText: /^closed/ }).waitFor();
  assert.equal(await count.count(), 0, 'its components are gone');

  await run(page, 'pick');
  const menu = page.locator('.message .select').last();
  await menu.click();
  await menu.getByRole('option', { name: 'red' }).click();
  await menu.getByRole('option', { name: 'green' }).click();
  await page.keyboard.press('Escape');
  await message(page, 'strings green red').waitFor();

  await page.locator('.member', { hasText: 'Bob' }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: /Greet/ }).click();
  await message(page, 'hello bob').waitFor();
  await message(page, 'hello bob').click({ button: 'right' });
  await page.getByRole('menuitem', { name: /Quote/ }).click();
  await message(page, ': hello bob').waitFor();
}
