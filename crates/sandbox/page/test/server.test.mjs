// What belongs to a whole server: events, invites, search, snapshots, and which bots are connected.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PNG, startBot } from './bot.mjs';
import { box, clean, endBrowser, go, message, openPage, startSandbox } from './harness.mjs';

let sandbox, page;

before(async () => {
  sandbox = await startSandbox();
  page = await openPage(sandbox);
  await box(page).waitFor();
});
after(async () => {
  await endBrowser();
  await sandbox.close();
});

const send = (channel, content, as = 'bob') => sandbox.api('POST', 'messages', { as, channel, content });

test('an event is made, started and ended, and people are interested in it', async () => {
  const other = await openPage(sandbox, { as: 'bob' });
  await page.getByRole('button', { name: /^Events/ }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Nothing is planned.').waitFor();
  await dialog.getByRole('button', { name: 'New event' }).click();
  await dialog.getByLabel('Name').fill('Game night');
  await dialog.getByLabel('Where').selectOption('Somewhere else');
  await dialog.getByLabel('Place').fill('The park');
  await dialog.getByRole('button', { name: 'Make event' }).click();
  await dialog.locator('.event', { hasText: 'Game night' }).getByText('The park').waitFor();
  // Somebody else has it live.
  await other.getByRole('button', { name: 'Events: 1' }).click();
  const theirs = other.locator('.event', { hasText: 'Game night' });
  await theirs.getByText('0 interested').waitFor();
  assert.equal(await theirs.getByRole('button', { name: 'Start' }).count(), 0, 'only who manages events starts them');
  await theirs.getByRole('button', { name: 'Interested' }).click();
  await theirs.getByRole('button', { name: 'Interested', pressed: true }).waitFor();
  await dialog.getByText('1 interested').waitFor();
  await theirs.getByRole('button', { name: 'Interested' }).click();
  await dialog.getByText('0 interested').waitFor();
  await dialog.getByRole('button', { name: 'Start' }).click();
  await dialog.getByText('Going on now').waitFor();
  const [event] = await sandbox.api('GET', `guilds/${sandbox.guild}/scheduled-events`);
  assert.equal(event.status, 2);
  await dialog.getByRole('button', { name: 'End', exact: true }).click();
  await dialog.getByText('Nothing is planned.').waitFor();
  await page.keyboard.press('Escape');
  clean(other);
  await other.context().close();
});

test('an invite is made and listed; somebody who is not there joins by it, and it is deleted', async () => {
  await sandbox.api('POST', 'guilds', { name: 'Garden', owner: 'alice', members: [] });
  const other = await openPage(sandbox, { as: 'bob' });
  await page.getByRole('button', { name: 'Garden' }).click();
  await page.getByRole('button', { name: 'Invite people' }).click();
  const dialog = page.getByRole('dialog', { name: 'Invite people to Garden' });
  await dialog.getByText('0 invites').waitFor();
  assert.equal(await dialog.getByLabel('Expires after').inputValue(), '86400');
  await dialog.getByLabel('Uses').selectOption('5 uses');
  await dialog.getByRole('button', { name: 'Make invite' }).click();
  const code = await dialog.getByRole('status').locator('code').innerText();
  await dialog.getByText('0 uses of 5').waitFor();

  await other.getByRole('button', { name: 'Add a server' }).click();
  const theirs = other.getByRole('dialog');
  await theirs.getByLabel('Code of an invite').fill('nothing');
  await theirs.getByRole('button', { name: 'Look' }).click();
  await other.getByRole('alert').getByText('Unknown Invite').waitFor();
  await theirs.getByLabel('Code of an invite').fill(`https://discord.gg/${code}`);
  await theirs.getByRole('button', { name: 'Look' }).click();
  await theirs.getByText('invited by Alice').waitFor();
  await theirs.getByRole('button', { name: 'Join' }).click();
  await other.getByRole('heading', { name: 'Garden' }).waitFor();

  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Invite people' }).click();
  await dialog.getByText('1 use of 5').waitFor();
  await dialog.getByRole('button', { name: `Delete ${code}` }).click();
  await dialog.getByText('0 invites').waitFor();
  await page.keyboard.press('Escape');
  // Bob may make invites there, but not see all of them.
  await other.getByRole('button', { name: 'Invite people' }).click();
  await other.getByRole('button', { name: 'Make invite' }).waitFor();
  assert.equal(await other.getByText(/^\d+ invites?$/).count(), 0);
  clean(other);
  await other.context().close();
});

test('messages are searched by words and conditions, and opened where they are', async () => {
  await page.getByRole('button', { name: sandbox.overview.guilds[0].name, exact: true }).click();
  await go(page, 'general');
  const old = await send('general', 'the heron has landed');
  for (let n = 0; n < 70; n += 1) await send('general', `heron number ${n}`, 'carol');
  await send('bot-test', 'no such bird');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  const search = page.getByRole('complementary', { name: 'Search' });
  const field = search.getByRole('searchbox');
  await field.fill('heron');
  await page.keyboard.press('Enter');
  await search.getByText('71 messages').waitFor();
  assert.equal(await search.locator('.pins li').count(), 25);
  await search.getByRole('button', { name: 'Show 25 more' }).click();
  await search.locator('.pins li').nth(49).waitFor();
  await field.fill('heron from:nobody');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('There is no user “nobody”.').waitFor();
  await field.fill('from:bob in:#general heron');
  await page.keyboard.press('Enter');
  await search.getByText('1 message', { exact: true }).waitFor();
  await go(page, 'bot-test');
  await search.getByRole('button', { name: 'Jump' }).click();
  await page.locator('.head-bar h1', { hasText: 'general' }).waitFor();
  await page.locator(`#message-${old.id}`).waitFor();
  await field.fill('ostrich');
  await page.keyboard.press('Enter');
  await search.getByText('No message matches.').waitFor();
  await search.getByRole('button', { name: 'Close the search' }).click();
  await search.waitFor({ state: 'detached' });
});

test('a user finds nothing in channels that they do not see', async () => {
  const secret = await sandbox.api('POST', `guilds/${sandbox.guild}/channels`, { name: 'attic', type: 0 });
  await sandbox.api('PATCH', `guilds/${sandbox.guild}/channels/${secret.id}/permissions/${sandbox.guild}`, { deny: ['VIEW_CHANNEL'] });
  await send('attic', 'a hidden treasure', 'alice');
  for (const [as, count] of [['alice', 1], ['bob', 0]]) {
    const found = await sandbox.api('GET', `guilds/${sandbox.guild}/messages/search?as=${as}&content=treasure`);
    assert.equal(found.total_results, count, as);
  }
});

test('the world is saved, restored after a question, and its snapshot deleted', async () => {
  await page.getByRole('button', { name: 'Developer drawer' }).click();
  await page.getByRole('tab', { name: 'Snapshots' }).click();
  const drawer = page.getByRole('tabpanel');
  await drawer.getByText('None yet.').waitFor();
  await drawer.getByLabel('Name').fill('before_it');
  await drawer.getByRole('button', { name: 'Save the world' }).click();
  await drawer.getByRole('button', { name: 'Restore before_it…' }).waitFor();
  const late = await send('general', 'after the snapshot');
  await drawer.getByRole('button', { name: 'Restore before_it…' }).click();
  await drawer.getByRole('button', { name: 'Keep the present' }).click();
  await sandbox.api('GET', `messages/${late.id}?as=bob`);
  await drawer.getByRole('button', { name: 'Restore before_it…' }).click();
  await drawer.getByRole('button', { name: 'Restore before_it', exact: true }).click();
  await page.getByRole('status').getByText('The world is as it was saved in before_it.').waitFor();
  await assert.rejects(sandbox.api('GET', `messages/${late.id}?as=bob`), /404/);
  await drawer.getByRole('button', { name: 'Delete before_it' }).click();
  await drawer.getByText('None yet.').waitFor();
  await page.getByRole('button', { name: 'Close the drawer' }).click();
});

test('a bot is shown as connected while it is', async () => {
  await page.getByRole('button', { name: 'Server settings' }).click();
  await page.getByRole('tab', { name: 'People and bots' }).click();
  const row = page.locator('.admin-list li', { has: page.locator('.tag') }).first();
  await row.getByText('not connected').waitFor();
  const bot = await startBot(sandbox);
  await row.getByText(/^\S+ connected$/).waitFor();
  await row.locator('.status-online').waitFor();
  await bot.destroy();
  await row.getByText('not connected').waitFor();
  await row.locator('.status-offline').waitFor();
  await page.keyboard.press('Escape');
  clean(page);
});

test('pictures that bots and people have uploaded are shown', async () => {
  const bot = await startBot(sandbox);
  const picture = async (place) => {
    await place.locator('img.uploaded').waitFor();
    await page.waitForFunction((image) => image.complete && image.naturalWidth > 0, await place.locator('img.uploaded').elementHandle());
  };
  const guild = bot.guilds.cache.get(sandbox.guild);
  const channel = await bot.channels.fetch(sandbox.channel('general'));
  await go(page, 'general');
  await channel.send('without a picture');
  await message(page, 'without a picture').waitFor();
  assert.equal(await message(page, 'without a picture').locator('img.uploaded').count(), 0);
  await bot.user.setAvatar(PNG);
  await picture(message(page, 'without a picture').locator('.avatar').first());
  await guild.setIcon(PNG);
  await picture(page.locator('.guild.active'));
  const webhook = await channel.createWebhook({ name: 'Painter', avatar: PNG });
  await webhook.send('painted');
  await picture(message(page, 'painted').locator('.avatar').first());

  await page.getByRole('button', { name: 'Server settings' }).click();
  await page.getByRole('tab', { name: 'People and bots' }).click();
  await page.getByLabel('Picture of alice').setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: PNG });
  const row = page.locator('.admin-list li', { has: page.getByRole('button', { name: 'Remove the picture of alice' }) });
  await picture(row);
  await row.getByRole('button', { name: 'Remove the picture of alice' }).click();
  await page.getByLabel('Picture of alice').waitFor({ state: 'attached' });
  await page.keyboard.press('Escape');
  await bot.destroy();
  clean(page);
});
