import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { keepModals, PNG, startBot } from './bot.mjs';
import { box, choose, clean, endBrowser, message, openPage, option, run, startSandbox } from './harness.mjs';

let sandbox, bot, page;

before(async () => {
  sandbox = await startSandbox();
  bot = keepModals(await startBot(sandbox));
  page = await openPage(sandbox);
  await box(page).waitFor();
});
after(async () => {
  await bot.destroy();
  await endBrowser();
  await sandbox.close();
});

test('the picker lists what the user can run, and filters by what is typed', async () => {
  await box(page).fill('/');
  await page.locator('.commands .suggestion', { hasText: '/ping' }).waitFor();
  await box(page).fill('/shop');
  await page.locator('.commands .suggestion', { hasText: '/shop buy' }).waitFor();
  assert.equal(await page.locator('.commands .suggestion').count(), 2);
  await box(page).fill('/nothing');
  await page.getByText('No command here matches').waitFor();
});

test('options are checked before anything is sent, and arrive with their types', async () => {
  await choose(page, 'options');
  await option(page, 'text').fill('x');
  await page.getByText('Must be at least 2 characters.').waitFor();
  await option(page, 'text').fill('hello');
  await option(page, 'number').fill('12');
  await page.getByText('Must be at most 9.').waitFor();
  await option(page, 'number').fill('1.5');
  await page.getByText('Enter a valid integer.').waitFor();
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('.command-form').count(), 1, 'an invalid command stays open');
  await option(page, 'number').fill('7');
  const add = async (name) => {
    await page.locator('.more-options').click();
    await page.locator('.command-form button.suggestion', { has: page.getByText(name, { exact: true }) }).click();
  };
  const pick = (text) => page.locator('#choices .suggestion', { hasText: text }).first().click();
  await add('flavour');
  await pick('Sour');
  await page.locator('.command-form button.suggestion', { has: page.getByText('sure', { exact: true }) }).click();
  await pick('True');
  await page.locator('.command-form button.suggestion', { has: page.getByText('who', { exact: true }) }).click();
  await option(page, 'who').fill('bo');
  await pick('Bob');
  await page.locator('.command-form button.suggestion', { has: page.getByText('where', { exact: true }) }).click();
  await pick('general');
  await page.locator('.command-form button.suggestion', { has: page.getByText('role', { exact: true }) }).click();
  await pick('Sandbot');
  await page.locator('.command-form button.suggestion', { has: page.getByText('file', { exact: true }) }).click();
  await option(page, 'file').setInputFiles({ name: 'red.png', mimeType: 'image/png', buffer: PNG });
  await page.locator('.command-form').getByRole('button', { name: 'Send' }).click();
  await message(page, 'Got text=hello number=7 flavour=sour sure=true who=bob where=general role=Sandbot file=red.png').waitFor();
});

test('choices are completed by the bot while the user types', async () => {
  await choose(page, 'fruit');
  await page.locator('#choices .suggestion', { hasText: 'Cherry' }).waitFor();
  await option(page, 'name').pressSequentially('ap');
  await page.locator('#choices .suggestion', { hasText: 'Apricot' }).waitFor();
  await page.locator('#choices .suggestion', { hasText: 'Cherry' }).waitFor({ state: 'detached' });
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  assert.equal(await option(page, 'name').inputValue(), 'Apricot');
  await page.keyboard.press('Enter');
  await message(page, 'You like apricot').waitFor();
});

test('subcommands are entries of their own', async () => {
  await choose(page, 'shop buy');
  await option(page, 'what').fill('bread and butter');
  await page.keyboard.press('Enter');
  await message(page, 'buy bread and butter').getByText('/shop buy').waitFor();
  await run(page, 'shop list');
  await message(page, 'list').waitFor();
});

test('Escape leaves a command, and text that only looks like one is sent', async () => {
  await choose(page, 'fruit');
  await page.keyboard.press('Escape');
  await box(page).fill('/not a command');
  await page.getByText('No command here matches').waitFor();
  await page.keyboard.press('Enter');
  await message(page, '/not a command').waitFor();
});

test('user and message commands are in the context menus', async () => {
  await page.locator('.member', { hasText: 'Bob' }).click({ button: 'right' });
  await page.getByRole('menuitem', { name: /Inspect/ }).click();
  await message(page, 'Inspected bob').waitFor();
  await sandbox.api('POST', 'messages', { as: 'bob', channel: 'bot-test', content: 'words of wisdom' });
  await message(page, 'words of wisdom').click({ button: 'right' });
  await page.getByRole('menuitem', { name: /Quote/ }).click();
  await message(page, 'Quoted: words of wisdom').waitFor();
});

test('names and emojis are suggested in text', async () => {
  await box(page).fill('');
  await box(page).pressSequentially('hi @bo');
  await page.locator('#suggestions .suggestion', { hasText: 'Bob' }).waitFor();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await message(page, 'hi @Bob').locator('.mention').waitFor();
});

test('nothing went wrong in the page', () => clean(page));
