import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { keepModals, PNG, startBot } from './bot.mjs';
import { box, clean, endBrowser, message, openPage, run, startSandbox } from './harness.mjs';

let sandbox, bot, page, row, first;

before(async () => {
  sandbox = await startSandbox();
  bot = keepModals(await startBot(sandbox));
  page = await openPage(sandbox);
  await box(page).waitFor();
  await run(page, 'buttons');
  row = await fixed(message(page, 'Press one'));
});
after(async () => {
  await bot.destroy();
  await endBrowser();
  await sandbox.close();
});

/** Returns the same message, whatever answers it. */
const fixed = async (row) => page.locator(`#${await row.getAttribute('id')}`);
const menu = (name) => row.locator('.select', { has: page.getByRole('combobox', { name }) });

test('a button updates its message; a disabled one and a link send nothing', async () => {
  await row.getByRole('button', { name: 'Count 0' }).click();
  await row.getByRole('button', { name: 'Count 1' }).click();
  await row.getByRole('button', { name: 'Count 2' }).waitFor();
  assert(await row.getByRole('button', { name: 'Disabled' }).isDisabled());
  assert.equal(await row.getByRole('link', { name: 'Link' }).getAttribute('href'), 'https://example.com');
});

test('a button that gets no answer waits and says so', async () => {
  const button = row.getByRole('button', { name: 'Fail' });
  await button.click();
  assert.equal(await button.getAttribute('aria-busy'), 'true');
  await row.getByText('This interaction failed').waitFor({ timeout: 10_000 });
  assert.equal(await button.getAttribute('aria-busy'), 'false');
});

test('menus take one or several options, users and channels', async () => {
  const colours = menu('Pick a colour');
  await colours.click();
  await colours.getByRole('option', { name: 'Red' }).click();
  await colours.getByRole('option', { name: 'Blue' }).click();
  await colours.getByRole('option', { name: 'Green' }).click();
  await page.keyboard.press('Escape');
  await message(page, 'Used pick red,blue').waitFor();
  const people = menu('Pick a person');
  await people.getByRole('combobox').fill('car');
  await page.keyboard.press('Enter');
  const carol = sandbox.overview.users.find((user) => user.username === 'carol').id;
  await message(page, `Used user ${carol}`).waitFor();
  const channels = menu('Pick a channel');
  await channels.click();
  await channels.getByRole('option', { name: 'general' }).click();
  await message(page, `Used channel ${sandbox.channel('general')}`).waitFor();
});

test('Components V2 are drawn and work', async () => {
  await run(page, 'v2');
  first = row;
  row = await fixed(message(page, 'In a container'));
  await row.locator('.container').waitFor();
  await row.getByText('Above it').waitFor();
  await row.locator('.gallery img[alt=First]').waitFor();
  await row.getByRole('button', { name: 'Spoiler' }).click();
  await row.locator('.gallery img[alt=Hidden]').waitFor();
  await row.locator('.file', { hasText: 'notes.txt' }).waitFor();
  await row.locator('hr.separator').waitFor({ state: 'attached' });
  await row.locator('img[alt=Red]').waitFor();
  await row.getByRole('button', { name: 'Count 0' }).click();
  await row.getByRole('button', { name: 'Count 1' }).waitFor();
  const roles = menu('Pick a role');
  await roles.click();
  await roles.getByRole('option', { name: 'Sandbot' }).click();
  await message(page, 'Used role').waitFor();
  const anyone = menu('Pick anyone');
  await anyone.getByRole('combobox').fill('Bob');
  await page.keyboard.press('Enter');
  await message(page, 'Used mentionable').waitFor();
});

test('a modal has every input, checks them, and is submitted', async () => {
  await run(page, 'form');
  const form = page.getByRole('dialog', { name: 'Tell me' });
  await form.getByRole('button', { name: 'Submit' }).click();
  await form.getByText('This field is required.').first().waitFor();
  await form.getByLabel('Name').fill('A');
  await form.getByText('Must be at least 2 characters.').waitFor();
  await form.getByLabel('Name').fill('Ada');
  await form.getByRole('combobox', { name: 'Pet' }).click();
  await form.getByRole('option', { name: 'Dog' }).click();
  await form.getByLabel('Large').check();
  await form.getByLabel('Milk').check();
  await form.getByLabel('Sugar').check();
  await form.getByLabel('File').setInputFiles({ name: 'red.png', mimeType: 'image/png', buffer: PNG });
  await form.getByRole('button', { name: 'Submit' }).click();
  await form.waitFor({ state: 'detached' });
  await message(page, 'Form name=Ada pet=1 size=l extras=2 file=1').waitFor();
});

test('a button opens a modal, which Escape closes', async () => {
  const button = first.getByRole('button', { name: 'Form' });
  await button.click();
  const form = page.getByRole('dialog', { name: 'Tell me' });
  await form.waitFor();
  await page.keyboard.press('Escape');
  await form.waitFor({ state: 'detached' });
});

test('nothing went wrong in the page', () => clean(page));
