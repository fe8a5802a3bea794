import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { box, clean, endBrowser, go, message, openPage, startSandbox } from './harness.mjs';

let sandbox, page;
const send = (as, content, channel = 'general') => sandbox.api('POST', 'messages', { as, channel, content });

before(async () => {
  sandbox = await startSandbox();
  page = await openPage(sandbox);
  await go(page, 'general');
});
after(async () => {
  await endBrowser();
  await sandbox.close();
});

test('a message is pinned, listed and found again', async () => {
  await send('bob', 'worth keeping');
  await message(page, 'worth keeping').click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Pin Message' }).click();
  await page.getByText('pinned a message to this channel').waitFor();
  for (let n = 0; n < 120; n += 1) await send('bob', `filler ${n}`);
  await message(page, 'filler 119').waitFor();
  assert.equal(await page.locator('.message .content', { hasText: /^worth keeping/ }).count(), 0, 'it is scrolled away');
  await page.getByRole('button', { name: 'Pinned messages' }).click();
  await page.getByRole('dialog', { name: 'Pinned Messages' }).getByText('worth keeping').waitFor();
  await page.getByRole('button', { name: 'Jump', exact: true }).click();
  await page.locator('.message.jumped', { hasText: 'worth keeping' }).waitFor();
  await page.getByText('Jump to present').click();
  await message(page, 'filler 119').waitFor();
});

test('a thread is started from a message, written in, closed and reopened', async () => {
  await send('bob', 'let us talk');
  await message(page, 'let us talk').click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Create Thread' }).click();
  await page.getByLabel('Thread name').fill('A talk');
  await page.getByRole('button', { name: 'Create Thread' }).click();
  await page.locator('.head-bar h1', { hasText: 'A talk' }).waitFor();
  await box(page).fill('inside');
  await page.keyboard.press('Enter');
  await message(page, 'inside').waitFor();
  await page.locator('.thread-list', { hasText: 'A talk' }).waitFor();
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await page.getByRole('button', { name: 'Reopen' }).click();
  await page.getByRole('button', { name: 'Close', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Back to the channel' }).click();
  await page.locator('.thread-box', { hasText: 'A talk' }).waitFor();
});

test('a forum has posts with tags', async () => {
  await sandbox.api('POST', `guilds/${sandbox.guild}/channels`, { name: 'ideas', type: 15 });
  await page.locator('.channel-name', { hasText: 'ideas' }).click();
  await page.getByText('There are no posts').waitFor();
  await page.getByRole('button', { name: 'New Post' }).click();
  await page.getByLabel('Title').fill('An idea');
  await page.getByLabel('Message', { exact: true }).fill('what if');
  await page.getByRole('dialog').getByRole('button', { name: 'Post' }).click();
  await message(page, 'what if').waitFor();
  await page.getByRole('button', { name: 'Back to the channel' }).click();
  await page.locator('.post', { hasText: 'An idea' }).click();
  await message(page, 'what if').waitFor();
  await go(page, 'general');
});

test('a poll is made, voted in, and ended', async () => {
  await page.getByRole('button', { name: 'Create a poll' }).click();
  await page.getByLabel('Question').fill('Tea or coffee?');
  await page.getByLabel('Answer 1').fill('Tea');
  await page.getByLabel('Answer 2').fill('Coffee');
  await page.getByRole('dialog').getByRole('button', { name: 'Post' }).click();
  const poll = page.locator('.poll').last();
  await poll.getByRole('radio', { name: 'Tea' }).click();
  await poll.getByRole('button', { name: 'Vote', exact: true }).click();
  await poll.getByText('1 vote 100%').waitFor();
  const { id } = (await sandbox.api('GET', 'messages?as=bob&channel=general&limit=1'))[0];
  await sandbox.api('PUT', `messages/${id}/votes`, { as: 'bob', answers: ['Coffee'] });
  await poll.getByText('2 votes', { exact: false }).waitFor();
  await poll.getByRole('button', { name: 'Remove vote' }).click();
  await poll.getByRole('radio', { name: 'Tea' }).waitFor();
  await poll.getByRole('button', { name: 'End poll' }).click();
  await poll.getByText('Final results').waitFor();
});

test('people write to each other directly', async () => {
  await page.locator('.member', { hasText: 'Bob' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Message' }).click();
  await page.locator('.head-bar h1', { hasText: 'Bob' }).waitFor();
  await box(page).fill('psst');
  await page.keyboard.press('Enter');
  await message(page, 'psst').waitFor();
  const bob = await openPage(sandbox, { as: 'bob' });
  await bob.getByRole('button', { name: 'Direct Messages' }).click();
  await bob.locator('.direct', { hasText: 'Alice' }).click();
  await message(bob, 'psst').waitFor();
  await box(bob).fill('yes?');
  await bob.keyboard.press('Enter');
  await message(page, 'yes?').waitFor();
  clean(bob);
  await bob.context().close();
  await page.getByRole('button', { name: 'Sandbox', exact: true }).click();
});

test('administrators make users, roles, channels and servers, and change permissions', async () => {
  await page.getByRole('button', { name: 'Server settings' }).click();
  await page.getByRole('tab', { name: 'People and bots' }).click();
  await page.getByLabel('Username').fill('dora');
  await page.getByRole('button', { name: 'Make user' }).click();
  await page.locator('.admin-list li', { hasText: 'dora' }).waitFor();
  await page.getByRole('tab', { name: 'Roles' }).click();
  await page.locator('.admin').getByLabel('Name', { exact: true }).fill('Helpers');
  await page.getByRole('button', { name: 'Make role' }).click();
  await page.locator('.admin option', { hasText: 'Helpers' }).waitFor({ state: 'attached' });
  await page.getByLabel('Role', { exact: true }).selectOption({ label: 'Helpers' });
  await page.getByLabel('KICK_MEMBERS').check();
  await page.getByRole('tab', { name: 'People and bots' }).click();
  await page.locator('.admin-list li', { hasText: 'dora' }).getByLabel('Helpers').check();
  await page.getByRole('tab', { name: 'Channels', exact: true }).click();
  await page.locator('.admin').getByLabel('Name', { exact: true }).fill('staff');
  await page.getByRole('button', { name: 'Make channel' }).click();
  await page.locator('.channel-name', { hasText: 'staff' }).waitFor();
  await page.getByRole('tab', { name: 'Channel permissions' }).click();
  await page.getByLabel('Channel', { exact: true }).selectOption({ label: 'staff' });
  await page.getByRole('button', { name: 'Deny VIEW_CHANNEL' }).click();
  await page.locator('[aria-label="Deny VIEW_CHANNEL"][aria-pressed=true]').waitFor();
  await page.getByRole('tab', { name: 'New server' }).click();
  await page.locator('.admin').getByLabel('Name', { exact: true }).fill('Second Place');
  await page.getByRole('button', { name: 'Make server' }).click();
  await page.getByRole('button', { name: 'Second Place' }).waitFor();
  const dora = await openPage(sandbox, { as: 'dora' });
  await dora.locator('.channel-name', { hasText: 'general' }).waitFor();
  assert.equal(await dora.locator('.channel-name', { hasText: 'staff' }).count(), 0);
  clean(dora);
  await dora.context().close();
});

test('nothing went wrong in the page', () => clean(page));
