// How it looks: no violation of accessibility rules, and pictures at three widths in both themes, in test/out.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { keepModals, startBot } from './bot.mjs';
import { box, choose, clean, endBrowser, go, here, message, openPage, run, startSandbox } from './harness.mjs';

const out = path.join(here, 'out');
const axeSource = await readFile(path.join(here, '../node_modules/axe-core/axe.min.js'), 'utf8');
let sandbox, bot;

before(async () => {
  await mkdir(out, { recursive: true });
  sandbox = await startSandbox();
  bot = keepModals(await startBot(sandbox));
  const send = (as, content, more = {}) => sandbox.api('POST', 'messages', { as, channel: 'bot-test', content, ...more });
  const alice = sandbox.overview.users[0].id;
  await sandbox.api('POST', `guilds/${sandbox.guild}/channels`, { name: 'ideas', type: 15, topic: 'What to build next' });
  await sandbox.api('POST', 'threads', { as: 'bob', channel: 'ideas', name: 'Dark mode for everything', content: 'Please.' });
  await send('bob', `Morning <@${alice}>! The new build is out:\n- **faster** reloads\n- \`/play\` takes playlists\n> try it <t:${Math.floor(Date.now() / 1000)}:R>`);
  await send('carol', 'Nice 🎉');
  await send('carol', '```rust\n#[poise::command(slash_command)]\nasync fn ping(ctx: Context<\'_>) -> Result<(), Error> {\n    ctx.say("Pong!").await?; // and that is all\n    Ok(())\n}\n```');
  const sent = await send('bob', 'Who wants to test it?');
  for (const as of ['alice', 'carol']) await sandbox.api('POST', `messages/${sent.id}/reactions`, { as, emoji: '👍' });
  await send('alice', 'I do', { reply_to: sent.id });
  const event = { as: 'alice', name: 'Release party', description: 'We play what the bot can play, and look at what broke.', privacy_level: 2, entity_type: 3, scheduled_start_time: '2099-05-01T18:00:00Z', scheduled_end_time: '2099-05-01T22:00:00Z', entity_metadata: { location: 'The canteen' } };
  await sandbox.api('POST', `guilds/${sandbox.guild}/scheduled-events`, event);
  await sandbox.api('PUT', `guilds/${sandbox.guild}/scheduled-events/${encodeURIComponent('Release party')}/users/bob`, {});
  await sandbox.api('POST', `guilds/${sandbox.guild}/invites`, { as: 'alice', channel: 'general', max_uses: 5 });
  await sandbox.api('PUT', 'snapshots/before-the-party');
});
after(async () => {
  await bot.destroy();
  await endBrowser();
  await sandbox.close();
});

/** Fails with the rules that the page violates, and where. */
async function accessible(page, what) {
  // The page's own policy lets no other script in; a debugger's is none.
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axeSource });
  await session.detach();
  const violations = await page.evaluate(async () => {
    const result = await axe.run(document, { rules: { region: { enabled: true } } });
    return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ''}`).slice(0, 4).join(' | ')}`);
  });
  assert.deepEqual(violations, [], what);
}

for (const theme of ['dark', 'light']) {
  test(`every part is accessible in the ${theme} theme`, async () => {
    const page = await openPage(sandbox, { theme, width: 1500, height: 900 });
    await box(page).waitFor();
    await run(page, 'embed');
    await message(page, 'An author').waitFor();
    await run(page, 'buttons');
    await message(page, 'Press one').waitFor();
    await run(page, 'v2');
    await message(page, 'In a container').waitFor();
    await run(page, 'secret');
    await message(page, 'Between us').waitFor();
    await accessible(page, 'a channel');
    await box(page).fill('/');
    await page.locator('.commands .suggestion').first().waitFor();
    await accessible(page, 'the picker');
    await choose(page, 'options');
    await accessible(page, 'a command');
    await page.keyboard.press('Escape');
    await run(page, 'form');
    await page.getByRole('dialog', { name: 'Tell me' }).waitFor();
    await accessible(page, 'a modal');
    await page.screenshot({ path: path.join(out, `modal-${theme}.png`) });
    await page.keyboard.press('Escape');
    await page.locator('.member', { hasText: 'Bob' }).click();
    await page.getByRole('dialog').waitFor();
    await accessible(page, 'a profile');
    await page.keyboard.press('Escape');
    await message(page, 'Between us').click({ button: 'right' });
    await page.getByRole('menu').waitFor();
    await accessible(page, 'a menu');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Server settings' }).click();
    for (const name of ['People and bots', 'Roles', 'Channels', 'Channel permissions', 'New server']) {
      await page.getByRole('tab', { name, exact: true }).click();
      await accessible(page, `settings: ${name}`);
    }
    await page.getByRole('tab', { name: 'Channel permissions' }).click();
    await page.screenshot({ path: path.join(out, `settings-${theme}.png`) });
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Developer drawer' }).click();
    await page.locator('.trace').first().waitFor();
    for (const name of ['Log', 'Sessions', 'Faults', 'Snapshots', 'Interactions']) {
      await page.getByRole('tab', { name }).click();
      await accessible(page, `the drawer: ${name}`);
    }
    await page.locator('.trace-head').first().click();
    await page.screenshot({ path: path.join(out, `drawer-${theme}.png`) });
    await page.getByRole('button', { name: 'Close the drawer' }).click();
    await page.getByRole('button', { name: /^Events/ }).click();
    await page.locator('.event').waitFor();
    await accessible(page, 'events');
    await page.getByRole('button', { name: 'New event' }).click();
    await accessible(page, 'a new event');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Invite people' }).click();
    await page.getByText(/^\d+ invites?$/).waitFor();
    await accessible(page, 'invites');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await page.getByRole('searchbox', { name: 'Search messages' }).fill('from:bob');
    await page.keyboard.press('Enter');
    await page.locator('.search .pins li').first().waitFor();
    await accessible(page, 'the search');
    await page.getByRole('button', { name: 'Close the search' }).click();
    await page.locator('.channel', { hasText: 'Lounge' }).hover();
    await page.getByRole('button', { name: 'Join Lounge' }).click();
    await page.getByRole('button', { name: 'Soundboard' }).click();
    await accessible(page, 'the soundboard');
    await page.screenshot({ path: path.join(out, `voice-${theme}.png`) });
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await page.locator('.channel-name', { hasText: 'ideas' }).click();
    await page.locator('.post').waitFor();
    await accessible(page, 'a forum');
    clean(page);
    await page.context().close();
  });

  for (const width of [1440, 1000, 400]) {
    test(`nothing is cut off at ${width} pixels in the ${theme} theme`, async () => {
      const page = await openPage(sandbox, { theme, width, height: 800 });
      await box(page).waitFor();
      await message(page, 'I do').waitFor();
      const picture = async (what) => {
        await page.screenshot({ path: path.join(out, `${what}-${width}-${theme}.png`) });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth || [...document.querySelectorAll('dialog')].some((one) => one.scrollWidth > one.clientWidth));
        assert(!wide, `${what} scrolls sideways`);
      };
      await picture('chat');
      await page.getByRole('button', { name: 'Search', exact: true }).click();
      await page.getByRole('searchbox', { name: 'Search messages' }).fill('from:bob');
      await page.keyboard.press('Enter');
      await page.locator('.search .pins li').first().waitFor();
      await picture('search');
      await page.getByRole('button', { name: 'Close the search' }).click();
      const server = async (button) => {
        if (width < 900) await page.getByRole('button', { name: 'Channels' }).click();
        await page.getByRole('button', { name: button }).click();
      };
      const close = async () => {
        await page.keyboard.press('Escape');
        if (width < 900) await page.getByRole('button', { name: 'Close the channel list' }).click({ position: { x: width - 10, y: 400 } });
      };
      await server('Events: 1');
      await page.locator('.event').waitFor();
      await picture('events');
      await page.getByRole('button', { name: 'New event' }).click();
      await picture('event');
      await close();
      await server('Invite people');
      await page.getByText(/^\d+ invites?$/).waitFor();
      await picture('invites');
      await close();
      await page.getByRole('button', { name: 'Developer drawer' }).click();
      await page.getByRole('tab', { name: 'Snapshots' }).click();
      await page.getByText('before-the-party').first().waitFor();
      await picture('snapshots');
      await page.getByRole('button', { name: 'Close the drawer' }).click();
      await box(page).fill('/');
      await page.locator('.commands .suggestion').first().waitFor();
      await page.screenshot({ path: path.join(out, `picker-${width}-${theme}.png`) });
      await box(page).fill('');
      if (width < 900) {
        await page.getByRole('button', { name: 'Channels' }).click();
        await page.locator('.channel-name', { hasText: 'general' }).waitFor();
        await accessible(page, 'the channel list');
        await page.screenshot({ path: path.join(out, `channels-${width}-${theme}.png`) });
      } else await go(page, 'general');
      clean(page);
      await page.context().close();
    });
  }
}

test('a keyboard is enough', async () => {
  const page = await openPage(sandbox);
  await box(page).waitFor();
  await page.keyboard.type('/ping');
  await page.locator('.commands .suggestion').first().waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.command-form').waitFor();
  await page.keyboard.press('Enter');
  await message(page, 'Pong!').waitFor();
  // To the message's actions, and into its menu.
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  await message(page, 'Pong!').getByRole('button', { name: 'More' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menu').waitFor();
  await page.keyboard.press('ArrowDown');
  assert.notEqual(await page.evaluate(() => document.activeElement.textContent), 'Reply');
  await page.keyboard.press('Escape');
  await page.getByRole('menu').waitFor({ state: 'detached' });
  clean(page);
  await page.context().close();
});

test('the command line takes a picture of a message, and of a channel', async () => {
  const picture = async (what) => {
    const file = path.join(out, 'picture.png');
    await promisify(execFile)(sandbox.program, ['--state-file', sandbox.stateFile, 'screenshot', what, file, '--width', '600', '--theme', 'light']);
    const bytes = await readFile(file);
    assert.equal(bytes.subarray(1, 4).toString(), 'PNG');
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  };
  const [{ id }] = await sandbox.api('GET', 'messages?as=bob&channel=bot-test&limit=1');
  const one = await picture(id);
  const whole = await picture('#bot-test');
  assert.equal(one.width, 1200);
  assert(whole.height > 2 * one.height, JSON.stringify({ one, whole }));
  await assert.rejects(picture('123'), /no message 123/);
  await assert.rejects(picture('#nowhere'), /There is no channel "nowhere" in Sandbox/);
  // One without messages is drawn as its beginning, and so are direct messages that nobody has written.
  await sandbox.api('POST', 'guilds/Sandbox/channels', { name: 'empty' });
  const empty = await picture('#empty');
  const direct = await picture('@bob');
  assert(empty.height > 100 && direct.height > 100, JSON.stringify({ empty, direct }));
  // What one author says in a row has one head, as in the list.
  const say = (content) => sandbox.api('POST', 'messages', { as: 'alice', channel: 'mod-log', content });
  await say('first');
  const first = await picture('#mod-log');
  await say('second');
  const both = await picture('#mod-log');
  assert(both.height > first.height && both.height < 1.8 * first.height, JSON.stringify({ first, both }));
});
