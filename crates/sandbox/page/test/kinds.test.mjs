// Messages and answers of rarer kinds.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PNG, startBot } from './bot.mjs';
import { box, clean, endBrowser, go, message, openPage, run, startSandbox } from './harness.mjs';

let sandbox, bot, page, channel;

before(async () => {
  sandbox = await startSandbox();
  bot = await startBot(sandbox);
  channel = await bot.channels.fetch(sandbox.channel('bot-test'));
  page = await openPage(sandbox);
  await box(page).waitFor();
});
after(async () => {
  await bot.destroy();
  await endBrowser();
  await sandbox.close();
});

const send = (content, more = {}) => sandbox.api('POST', 'messages', { as: 'bob', channel: 'bot-test', content, ...more });
const raw = (body) => bot.rest.post(`/channels/${channel.id}/messages`, { body });
const event = (name) => new Promise((resolve) => bot.ws.once(name, resolve));

test('a premium button opens the store, where it is bought', async () => {
  for (const [name, type] of [['Gold', 'durable'], ['Palace', 'guild_subscription']]) {
    const sku = await sandbox.api('POST', `bots/${bot.user.id}/skus`, { name, type, price: 499 });
    await raw({ content: `Get ${name}`, components: [{ type: 1, components: [{ type: 2, style: 6, sku_id: sku.id }] }] });
    await message(page, `Get ${name}`).getByRole('button', { name: 'Upgrade' }).click();
    const store = page.getByRole('dialog', { name: `Buy ${name}` });
    await store.getByText(type === 'durable' ? 'For your account.' : 'A subscription for').waitFor();
    const bought = event('ENTITLEMENT_CREATE');
    await store.getByRole('button', { name: 'Buy' }).click();
    await page.getByRole('status').getByText(`You have bought ${name}.`).waitFor();
    const entitlement = await bought;
    assert.deepEqual([entitlement.sku_id, entitlement.guild_id ?? null], [sku.id, type === 'durable' ? null : sandbox.guild]);
  }
});

test('the old answer that asks for an upgrade leaves nothing behind', async () => {
  const own = bot.listeners('interactionCreate');
  bot.removeAllListeners('interactionCreate');
  bot.once('interactionCreate', (interaction) => bot.rest.post(`/interactions/${interaction.id}/${interaction.token}/callback`, { auth: false, body: { type: 10 } }));
  const answered = page.waitForResponse((response) => response.url().endsWith('/interactions/command'));
  await run(page, 'ping');
  assert.equal((await (await answered).json()).error ?? null, null);
  await page.locator('.message .thinking').waitFor({ state: 'detached' });
  assert.equal(await page.locator('.message .failed').count(), 0);
  for (const listener of own) bot.on('interactionCreate', listener);
});

test('stickers are drawn, and those of Lottie named', async () => {
  const guild = bot.guilds.cache.get(sandbox.guild);
  const sticker = await guild.stickers.create({ file: { attachment: PNG, name: 'red.png' }, name: 'reddish', tags: 'red' });
  await send('with a sticker', { stickers: [sticker.id] });
  const picture = message(page, 'with a sticker').getByRole('img', { name: 'reddish' });
  await picture.waitFor();
  await page.waitForFunction((id) => document.querySelector(`img.sticker[src*="${id}"]`)?.naturalWidth > 0, sticker.id);
  const { sticker_packs: [pack] } = await bot.rest.get('/sticker-packs');
  const lottie = pack.stickers.find((one) => one.format_type === 3);
  await send('with another', { stickers: [lottie.id] });
  await message(page, 'with another').getByText(`Sticker: ${lottie.name}`).waitFor();
});

test('a reply names what it answers, and opens it; also when that is gone', async () => {
  const question = await send('Who is it?');
  const row = page.locator(`#message-${question.id}`);
  await row.hover();
  await row.getByRole('button', { name: 'Reply' }).click();
  await page.getByText('Replying to').waitFor();
  await box(page).fill('It is me');
  await page.keyboard.press('Enter');
  const reply = message(page, 'It is me');
  await reply.locator('.reply-text', { hasText: 'Who is it?' }).click();
  await page.locator(`#message-${question.id}.jumped`).waitFor();
  await sandbox.api('DELETE', `messages/${question.id}`, { as: 'bob' });
  await sandbox.api('PATCH', `messages/${await reply.getAttribute('data-id')}`, { as: 'alice', content: 'It is me!' });
  await message(page, 'It is me!').getByText('Original message was deleted').waitFor();
});

test('webhooks have a name of their own, and forwarded messages say so', async () => {
  const webhook = await channel.createWebhook({ name: 'Newsroom' });
  await webhook.send({ content: 'Extra!', username: 'Town crier' });
  const row = message(page, 'Extra!');
  await row.getByText('Town crier').waitFor();
  await row.getByText('APP', { exact: true }).waitFor();
  const general = await bot.channels.fetch(sandbox.channel('general'));
  const source = await general.send('Something **worth** repeating');
  await raw({ message_reference: { type: 1, channel_id: general.id, message_id: source.id } });
  const forwarded = message(page, 'worth repeating');
  await forwarded.getByText('Forwarded').waitFor();
  assert.equal(await forwarded.locator('strong').innerText(), 'worth');
});

test('what happens in a channel is in its system messages', async () => {
  const pinned = await send('Keep this');
  await sandbox.api('PUT', `messages/${pinned.id}/pin`, { as: 'alice' });
  await page.locator('.message.system', { hasText: 'pinned a message to this channel.' }).waitFor();
  await sandbox.api('POST', 'threads', { as: 'alice', channel: 'bot-test', name: 'Side street' });
  const started = page.locator('.message.system', { hasText: 'started a thread' });
  await started.getByRole('button', { name: 'Side street' }).click();
  await page.locator('.head-bar h1', { hasText: 'Side street' }).waitFor();
  await go(page, 'bot-test');
});

test('a message of an announcement channel is published', async () => {
  const news = await sandbox.api('POST', `guilds/${sandbox.guild}/channels`, { name: 'news', type: 5 });
  await go(page, 'news');
  await box(page).fill('Read all about it');
  await page.keyboard.press('Enter');
  await message(page, 'Read all about it').click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Publish' }).click();
  await page.waitForFunction(() => document.querySelector('.menu') === null);
  const id = await message(page, 'Read all about it').getAttribute('data-id');
  const published = async () => ((await sandbox.api('GET', `messages/${id}?as=alice`)).flags & 1) === 1;
  const changed = new Promise((resolve) => bot.on('raw', (packet) => { if (packet.t === 'MESSAGE_UPDATE' && packet.d.channel_id === news.id) resolve(); }));
  if (!(await published())) await changed;
  assert(await published());
  await go(page, 'bot-test');
});

test('a spoiler is shown when it is pressed, and the arrow up edits the last message', async () => {
  await send('it was ||the butler||');
  const row = message(page, 'it was');
  assert.equal(await row.getByText('the butler').isVisible(), false);
  await row.getByRole('button', { name: 'Spoiler' }).click();
  await row.getByText('the butler').waitFor();
  await box(page).fill('a tpyo');
  await page.keyboard.press('Enter');
  await message(page, 'a tpyo').waitFor();
  await box(page).press('ArrowUp');
  await page.getByLabel('Edit message').fill('a typo');
  await page.keyboard.press('Enter');
  await message(page, 'a typo').getByText('(edited)').waitFor();
});

test('a session is dropped and comes back, and is declared invalid and begins anew', async () => {
  await page.getByRole('button', { name: 'Developer drawer' }).click();
  await page.getByRole('tab', { name: 'Sessions' }).click();
  const drawer = page.getByRole('tabpanel');
  const [before] = await sandbox.api('GET', 'sessions');
  const resumed = new Promise((resolve) => bot.once('shardResume', resolve));
  await drawer.getByRole('button', { name: 'Drop' }).click();
  await resumed;
  const ready = new Promise((resolve) => bot.once('shardReady', resolve));
  await drawer.getByRole('button', { name: 'Invalidate' }).click();
  await ready;
  const [now] = await sandbox.api('GET', 'sessions');
  assert.notEqual(now.id, before.id);
  await drawer.getByText(now.id).waitFor();
  await page.getByRole('button', { name: 'Close the drawer' }).click();
});

test('the theme is changed, and stays over a reload', async () => {
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  assert.equal(await theme(), 'dark');
  await page.getByRole('button', { name: 'Use the light theme' }).click();
  assert.equal(await theme(), 'light');
  await page.reload();
  await box(page).waitFor();
  assert.equal(await theme(), 'light');
});

test('nothing went wrong in the page', () => clean(page));
