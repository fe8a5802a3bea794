import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { keepModals, PNG, startBot } from './bot.mjs';
import { box, clean, endBrowser, go, message, openPage, run, startProxy, startSandbox } from './harness.mjs';

let sandbox, bot, alice;
const send = (as, content, more = {}) => sandbox.api('POST', 'messages', { as, channel: 'bot-test', content, ...more });

before(async () => {
  sandbox = await startSandbox();
  bot = keepModals(await startBot(sandbox));
  alice = await openPage(sandbox);
  await box(alice).waitFor();
});
after(async () => {
  await bot.destroy();
  await endBrowser();
  await sandbox.close();
});

test('an address of the page can be opened once, and leaves no ticket in the address bar', async () => {
  assert(!alice.url().includes('ticket'));
  const { ticket } = await sandbox.api('POST', 'page/tickets');
  const enter = () => fetch(`${sandbox.url}/sandbox/page/sessions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ticket }) });
  assert.equal((await enter()).status, 200);
  assert.equal((await enter()).status, 403);
  const other = await alice.context().newPage();
  await other.goto(`${sandbox.url}/app#ticket=${ticket}`);
  await other.getByText('has been used or is too old').waitFor();
  await other.close();
});

test('messages arrive by themselves, with markdown and nothing of it as HTML', async () => {
  await send('bob', '# Heading\n**bold** *it* __under__ ~~gone~~ `code` ||hidden|| <b>not bold</b>\n> quoted\n- item\n  - inner\n```js\nconst a = 1;\n```\n[masked](https://example.com/x) <t:0:F> <@' + sandbox.overview.users[0].id + '>');
  const row = message(alice, 'Heading');
  await row.waitFor();
  for (const selector of ['.md-h1', 'strong', 'em', 'u', 's', 'code.inline', 'blockquote', 'ul ul', '.code-block .hl-keyword', 'a[href="https://example.com/x"]', 'time.timestamp', '.mention']) {
    await row.locator(selector).first().waitFor();
  }
  assert.equal(await row.locator('b').count(), 0);
  assert.match(await row.innerText(), /<b>not bold<\/b>/);
  const spoiler = row.locator('.spoiler');
  assert.equal(await spoiler.getAttribute('aria-expanded'), 'false');
  await spoiler.click();
  await row.locator('.spoiler.shown').waitFor();
});

test('control characters of others are visible, and do not turn text around', async () => {
  await send('bob', 'left\u202eright\u2066 end\u0007');
  const row = message(alice, 'left');
  assert.match(await row.innerText(), /left\\u\{202e\}right\\u\{2066\} end/);
});

test('what is written is sent, edited, answered and deleted', async () => {
  await box(alice).fill('first words');
  await alice.keyboard.press('Enter');
  await message(alice, 'first words').waitFor();
  await alice.keyboard.press('ArrowUp');
  await alice.locator('.edit textarea').fill('second words');
  await alice.keyboard.press('Enter');
  await message(alice, 'second words').locator('.edited').waitFor();
  await message(alice, 'second words').hover();
  await message(alice, 'second words').getByRole('button', { name: 'Reply' }).click();
  await alice.getByText('Replying to').waitFor();
  await box(alice).fill('an answer');
  await alice.keyboard.press('Enter');
  await message(alice, 'an answer').locator('.reply-text', { hasText: 'second words' }).waitFor();
  await message(alice, 'an answer').click({ button: 'right' });
  await alice.getByRole('menuitem', { name: 'Delete Message' }).click();
  await alice.locator('.message', { hasText: 'an answer' }).waitFor({ state: 'detached' });
});

test('reactions are added, counted and taken back', async () => {
  const sent = await send('bob', 'react to me');
  await sandbox.api('POST', `messages/${sent.id}/reactions`, { as: 'bob', emoji: '🎉' });
  const reaction = message(alice, 'react to me').locator('.reaction').first();
  await reaction.click();
  await alice.locator('.reaction.me', { hasText: '2' }).waitFor();
  await reaction.click();
  await message(alice, 'react to me').locator('.reaction:not(.me)', { hasText: '1' }).waitFor();
  await message(alice, 'react to me').hover();
  await message(alice, 'react to me').locator('.hover').getByRole('button', { name: 'Add reaction' }).click();
  await alice.getByRole('button', { name: 'rocket' }).click();
  await message(alice, 'react to me').locator('.reaction', { hasText: '🚀' }).waitFor();
});

test('files are attached and shown; those of other sites are not loaded', async () => {
  await alice.locator('.composer input[type=file]').setInputFiles([{ name: 'red.png', mimeType: 'image/png', buffer: PNG }, { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('notes') }]);
  await alice.locator('.uploads li', { hasText: 'notes.txt' }).waitFor();
  await box(alice).fill('two files');
  await alice.keyboard.press('Enter');
  const row = message(alice, 'two files');
  await row.locator('.file', { hasText: 'notes.txt' }).waitFor();
  await row.locator('img.picture').waitFor();
  const loaded = await row.locator('img.picture').evaluate((image) => image.decode().then(() => image.naturalWidth));
  assert.equal(loaded, 1);
  const channel = await bot.channels.fetch(sandbox.channel('bot-test'));
  await channel.send({ content: 'elsewhere', embeds: [{ image: { url: 'https://example.com/a.png' } }] });
  await message(alice, 'elsewhere').locator('.external', { hasText: 'https://example.com/a.png' }).waitFor();
});

test('an embed is drawn with all of its parts', async () => {
  await run(alice, 'embed');
  const embed = message(alice, 'An author').locator('.embed');
  for (const text of ['An author', 'A title', 'One', 'Three', 'A footer']) await embed.getByText(text, { exact: true }).waitFor();
  await embed.locator('strong', { hasText: 'bold' }).waitFor();
  assert.equal(await embed.evaluate((element) => getComputedStyle(element).borderLeftColor), 'rgb(59, 165, 92)');
  assert.equal(await embed.locator('img').count(), 2);
});

test('an ephemeral answer is seen by its user alone, who can dismiss it', async () => {
  const bob = await openPage(sandbox, { as: 'bob' });
  await box(bob).waitFor();
  await run(alice, 'secret');
  await message(alice, 'Between us').getByText('Only you can see this').waitFor();
  await send('carol', 'after the secret');
  await message(bob, 'after the secret').waitFor();
  assert.equal(await bob.locator('.message', { hasText: 'Between us' }).count(), 0);
  await message(alice, 'Between us').getByRole('button', { name: 'Dismiss message' }).click();
  await alice.locator('.message', { hasText: 'Between us' }).waitFor({ state: 'detached' });
  clean(bob);
  await bob.context().close();
});

test('a deferred answer is thinking until it is there', async () => {
  await run(alice, 'slow');
  await alice.getByText('is thinking…').waitFor();
  bot.emit('release');
  await message(alice, 'Thought it over').waitFor();
  assert.equal(await alice.getByText('is thinking…').count(), 0);
  await message(alice, 'Thought it over').getByText('/slow').waitFor();
});

test('a bot that does not answer is reported', async () => {
  await run(alice, 'silent');
  await alice.getByText('Sending command…').waitFor();
  await message(alice, 'The application did not respond').waitFor({ timeout: 10_000 });
});

test('one click makes somebody else of the user, who sees what they may see', async () => {
  await alice.getByRole('button', { name: /alice.*be somebody else/i }).click();
  await alice.locator('.person-name', { hasText: 'carol' }).click();
  await alice.getByRole('button', { name: /carol.*be somebody else/i }).waitFor();
  await box(alice).fill('carol speaks');
  await alice.keyboard.press('Enter');
  await message(alice, 'carol speaks').locator('.name', { hasText: 'carol' }).waitFor();
  await sandbox.api('PATCH', `guilds/${sandbox.guild}/channels/mod-log/permissions/@carol`, { deny: ['VIEW_CHANNEL'] });
  await alice.locator('.channel-name', { hasText: 'mod-log' }).waitFor({ state: 'detached' });
  await sandbox.api('PATCH', `guilds/${sandbox.guild}/channels/bot-test/permissions/@carol`, { deny: ['SEND_MESSAGES', 'USE_APPLICATION_COMMANDS'] });
  await alice.getByText('You do not have permission to send messages').waitFor();
  await alice.getByRole('button', { name: /carol.*be somebody else/i }).click();
  await alice.locator('.person-name', { hasText: 'alice' }).click();
  await alice.locator('.channel-name', { hasText: 'mod-log' }).waitFor();
});

test('who types is shown, and unread channels are marked', async () => {
  await sandbox.api('POST', 'typing', { as: 'bob', channel: 'bot-test' });
  await alice.getByText('is typing…').waitFor();
  await sandbox.api('POST', 'messages', { as: 'bob', channel: 'general', content: `<@${sandbox.overview.users[0].id}> look` });
  await alice.locator('.channel.fresh .badge', { hasText: '1' }).waitFor();
  await go(alice, 'general');
  await message(alice, 'look').waitFor();
  assert.equal(await alice.locator('.channel.fresh').count(), 0);
  await go(alice, 'bot-test');
});

test('files are dropped anywhere on the page, and sound has a player', async () => {
  const wav = Buffer.alloc(44 + 800);
  wav.write('RIFF', 0);
  wav.write('WAVEfmt ', 8);
  await alice.evaluate((bytes) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], 'beep.wav', { type: 'audio/wav' }));
    document.querySelector('.list').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  }, [...wav]);
  await alice.locator('.uploads li', { hasText: 'beep.wav' }).waitFor();
  await box(alice).fill('listen');
  await alice.keyboard.press('Enter');
  const player = message(alice, 'listen').locator('audio');
  await player.waitFor();
  const answer = await alice.evaluate(async (url) => (await fetch(url)).status, await player.getAttribute('src'));
  assert.equal(answer, 200);
});

test("a server's own emojis are drawn", async () => {
  const guild = await bot.guilds.fetch(sandbox.guild);
  const emoji = await guild.emojis.create({ attachment: PNG, name: 'red' });
  await send('bob', `look <:red:${emoji.id}>`);
  const image = message(alice, 'look').locator('img.emoji');
  assert.equal(await image.evaluate((one) => one.decode().then(() => one.naturalWidth)), 1);
  await message(alice, 'look').hover();
  await message(alice, 'look').locator('.hover').getByRole('button', { name: 'Add reaction' }).click();
  await alice.locator('.picker').getByRole('button', { name: 'red', exact: true }).click();
  await message(alice, 'look').locator('.reaction img.emoji').waitFor();
});

test('a bot writes to somebody directly, for the first time too', async () => {
  const user = await bot.users.fetch(sandbox.overview.users[0].id);
  await user.send('hello in private');
  await alice.locator('.guild[aria-label="Direct Messages, 1 mentions"]').click();
  await alice.locator('.direct.active', { hasText: 'Sandbot' }).waitFor();
  await message(alice, 'hello in private').waitFor();
  await box(alice).fill('hello yourself');
  await alice.keyboard.press('Enter');
  await message(alice, 'hello yourself').waitFor();
  await alice.getByRole('button', { name: 'Sandbox', exact: true }).click();
  await box(alice).waitFor();
});

test('another user is opened in another tab', async () => {
  await alice.getByRole('button', { name: /alice.*be somebody else/i }).click();
  const opened = alice.context().waitForEvent('page');
  await alice.getByRole('button', { name: 'bob in another tab' }).click();
  const tab = await opened;
  await tab.getByRole('button', { name: /bob.*be somebody else/i }).waitFor();
  assert(!tab.url().includes('ticket'));
  await box(tab).fill('from the second tab');
  await tab.keyboard.press('Enter');
  await message(alice, 'from the second tab').waitFor();
  const [sent] = await sandbox.api('GET', 'messages?as=alice&channel=bot-test&limit=1');
  assert.equal(sent.author.username, 'bob');
  await tab.close();
  await alice.locator('.people').waitFor();
  await alice.keyboard.press('Escape');
  await alice.locator('.people').waitFor({ state: 'detached' });
});

test('a lost connection is resumed without a gap', async () => {
  const wire = await startProxy(sandbox);
  const page = await openPage({ ...sandbox, url: wire.url }, { as: 'bob' });
  await send('alice', 'before the cut');
  await message(page, 'before the cut').waitFor();
  await page.evaluate(() => { document.querySelector('.message').dataset.kept = 'yes'; });
  wire.cut();
  await page.getByText('The connection to the sandbox is lost').waitFor();
  const texts = Array.from({ length: 5 }, (_, index) => `while away ${index}`);
  for (const text of texts) await send('alice', text);
  wire.mend();
  for (const text of texts) await message(page, text).waitFor();
  const all = await page.locator('.message .content').allInnerTexts();
  assert.deepEqual(all.slice(-5).map((text) => text.trim()), texts);
  assert.equal(await page.locator('[data-kept]').count(), 1, 'it is the same page, not a new one');
  await page.context().close();
  wire.close();
});

test('nothing went wrong in the page', () => clean(alice));
