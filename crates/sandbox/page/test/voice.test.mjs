// A bot plays a tone; the page joins, shows who speaks, and lets the tone be heard.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import dgram from 'node:dgram';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { startBot } from './bot.mjs';
import { box, clean, endBrowser, openPage, startSandbox } from './harness.mjs';
import { ogg } from './ogg.mjs';

let sandbox, bot, page, frames;

before(async () => {
  sandbox = await startSandbox('--dave', 'off');
  bot = await startBot(sandbox);
  page = await openPage(sandbox);
  await box(page).waitFor();
  frames = await tone(page);
});
after(async () => {
  await bot.destroy();
  await endBrowser();
  await sandbox.close();
});

/** Returns a second of a tone of 440 Hz as Opus, 20 ms a frame, encoded by the browser. */
async function tone(page) {
  const encoded = await page.evaluate(async () => {
    const out = [];
    const encoder = new AudioEncoder({ output: (chunk) => { const bytes = new Uint8Array(chunk.byteLength); chunk.copyTo(bytes); out.push([...bytes]); }, error: (error) => { throw error; } });
    encoder.configure({ codec: 'opus', sampleRate: 48000, numberOfChannels: 2, bitrate: 64000 });
    for (let frame = 0; frame < 50; frame += 1) {
      const data = new Float32Array(1920);
      for (let n = 0; n < 960; n += 1) data[n] = data[960 + n] = 0.5 * Math.sin((2 * Math.PI * 440 * (frame * 960 + n)) / 48000);
      encoder.encode(new AudioData({ format: 'f32-planar', sampleRate: 48000, numberOfFrames: 960, numberOfChannels: 2, timestamp: frame * 20000, data }));
    }
    await encoder.flush();
    return out;
  });
  return encoded.map((bytes) => Buffer.from(bytes));
}

const next = (socket, op) => new Promise((resolve) => socket.on('message', (data) => { const payload = JSON.parse(data); if (payload.op === op) resolve(payload.d); }));

/** Joins as the bot and plays the frames over and over. Ends with `stop()`. */
async function play(channel) {
  const guild = bot.guilds.cache.get(sandbox.guild);
  const server = new Promise((resolve) => bot.ws.once('VOICE_SERVER_UPDATE', resolve));
  const state = new Promise((resolve) => bot.ws.once('VOICE_STATE_UPDATE', resolve));
  guild.shard.send({ op: 4, d: { guild_id: sandbox.guild, channel_id: channel, self_mute: false, self_deaf: false } });
  const [{ token, endpoint }, { session_id }] = await Promise.all([server, state]);
  const socket = new WebSocket(`wss://${endpoint}/?v=4`, { ca: await (await fetch(`${sandbox.url}/sandbox/voice/root.pem`)).text() });
  const ready = next(socket, 2);
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(JSON.stringify({ op: 0, d: { server_id: sandbox.guild, user_id: bot.user.id, session_id, token } }));
  const { ssrc, ip, port } = await ready;
  const description = next(socket, 4);
  socket.send(JSON.stringify({ op: 1, d: { protocol: 'udp', data: { address: '127.0.0.1', port: 1, mode: 'aead_aes256_gcm_rtpsize' } } }));
  const key = Buffer.from((await description).secret_key);
  socket.send(JSON.stringify({ op: 5, d: { speaking: 1, delay: 0, ssrc } }));
  const udp = dgram.createSocket('udp4');
  let count = 0;
  const timer = setInterval(() => {
    const header = Buffer.alloc(12);
    header[0] = 0x80;
    header[1] = 0x78;
    header.writeUInt16BE(count % 65536, 2);
    header.writeUInt32BE((count * 960) >>> 0, 4);
    header.writeUInt32BE(ssrc, 8);
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(count, 0);
    const cipher = crypto.createCipheriv('aes-256-gcm', key, nonce);
    cipher.setAAD(header);
    const sealed = Buffer.concat([cipher.update(frames[count % frames.length]), cipher.final(), cipher.getAuthTag(), nonce.subarray(0, 4)]);
    udp.send(Buffer.concat([header, sealed]), port, ip);
    count += 1;
  }, 20);
  return () => {
    clearInterval(timer);
    udp.close();
    socket.close();
    guild.shard.send({ op: 4, d: { guild_id: sandbox.guild, channel_id: null, self_mute: false, self_deaf: false } });
  };
}

test('what a bot plays is heard live, and who speaks is seen', async () => {
  const lounge = page.locator('.channel', { hasText: 'Lounge' });
  await lounge.hover();
  await lounge.getByRole('button', { name: 'Join Lounge' }).click();
  await page.getByText('Voice connected').waitFor();
  const stop = await play(sandbox.channel('Lounge'));
  await page.locator('.voice-user.speaking', { hasText: 'Sandbot' }).waitFor();
  const heard = await page.waitForFunction(() => window.sandboxVoice().loudness > 0.2 && window.sandboxVoice(), null, { timeout: 15_000 });
  const { pitch } = await heard.jsonValue();
  assert(Math.abs(pitch - 440) < 40, `it is a tone of ${pitch} Hz`);
  await page.getByLabel('Volume').fill('0');
  await page.waitForFunction(() => window.sandboxVoice().loudness < 0.01);
  await page.getByLabel('Volume').fill('1');
  await page.waitForFunction(() => window.sandboxVoice().loudness > 0.2);
  await page.getByRole('button', { name: 'Deafen' }).click();
  await page.waitForFunction(() => window.sandboxVoice().loudness < 0.01);
  await page.getByRole('button', { name: 'Deafen' }).click();
  await page.waitForFunction(() => window.sandboxVoice().loudness > 0.2);
  stop();
  await page.locator('.voice-user', { hasText: 'Sandbot' }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Disconnect' }).click();
  await page.getByText('Voice connected').waitFor({ state: 'detached' });
});

test('who closes the page leaves', async () => {
  const other = await openPage(sandbox, { as: 'carol' });
  const lounge = other.locator('.channel', { hasText: 'Lounge' });
  await lounge.hover();
  await lounge.getByRole('button', { name: 'Join Lounge' }).click();
  await page.locator('.voice-user', { hasText: 'carol' }).waitFor();
  await other.goto('about:blank');
  await page.locator('.voice-user', { hasText: 'carol' }).waitFor({ state: 'detached' });
  await other.context().close();
});

test('a sound of the soundboard is heard by those in the channel, and a bot there hears of it', async () => {
  const made = await bot.rest.post(`/guilds/${sandbox.guild}/soundboard-sounds`, { body: { name: 'beep', sound: `data:audio/ogg;base64,${ogg(frames.slice(0, 40)).toString('base64')}`, emoji_name: '🔔' } });
  const join = async (who) => {
    await who.locator('.channel', { hasText: 'Lounge' }).hover();
    await who.getByRole('button', { name: 'Join Lounge' }).click();
  };
  await join(page);
  const panel = page.getByRole('region', { name: 'Voice' });
  await panel.getByRole('button', { name: 'Soundboard' }).click();
  const other = await openPage(sandbox, { as: 'bob' });
  await box(other).waitFor();
  await join(other);
  await other.getByRole('region', { name: 'Voice' }).waitFor();
  await bot.guilds.cache.get(sandbox.guild).shard.send({ op: 4, d: { guild_id: sandbox.guild, channel_id: sandbox.channel('Lounge'), self_mute: false, self_deaf: false } });
  await page.locator('.voice-user', { hasText: bot.user.username }).waitFor();
  const effect = new Promise((resolve) => bot.ws.once('VOICE_CHANNEL_EFFECT_SEND', resolve));
  const loud = (who) => who.waitForFunction(() => window.sandboxVoice().loudness > 0.05 && Math.abs(window.sandboxVoice().pitch - 440) < 40, null, { polling: 20 });
  const heard = Promise.all([loud(page), loud(other)]);
  await panel.getByRole('button', { name: 'beep' }).click();
  assert.equal((await effect).sound_id, made.sound_id);
  await heard;
  // Discord's own have no file here, but bots hear of them.
  const quack = new Promise((resolve) => bot.ws.once('VOICE_CHANNEL_EFFECT_SEND', resolve));
  await panel.getByRole('button', { name: 'quack' }).click();
  assert.equal((await quack).sound_id, 1);
  await bot.guilds.cache.get(sandbox.guild).shard.send({ op: 4, d: { guild_id: sandbox.guild, channel_id: null, self_mute: false, self_deaf: false } });
  await page.locator('.voice-user', { hasText: bot.user.username }).waitFor({ state: 'detached' });
  clean(other);
  await other.context().close();
  await page.getByRole('button', { name: 'Disconnect' }).click();
});

test('a stage is opened, and its audience is let speak', async () => {
  await sandbox.api('POST', `guilds/${sandbox.guild}/channels`, { name: 'Arena', type: 13 });
  const arena = page.locator('.channel', { hasText: 'Arena' });
  await arena.hover();
  await arena.getByRole('button', { name: 'Join Arena' }).click();
  await page.getByLabel('Topic of the stage').fill('Questions');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByText('Live on stage').waitFor();
  await sandbox.api('PUT', `guilds/${sandbox.guild}/voice/bob`, { channel: 'Arena' });
  await page.locator('.voice-user', { hasText: 'Bob' }).getByText('audience').waitFor();
  await page.locator('.stage-panel .voice-line', { hasText: 'Bob' }).getByRole('button', { name: 'Let speak' }).click();
  await page.locator('.voice-user', { hasText: 'Bob' }).getByText('audience').waitFor({ state: 'detached' });
  await page.locator('.stage-panel').getByRole('button', { name: 'End' }).click();
  await page.getByLabel('Topic of the stage').waitFor();
});

test('nothing went wrong in the page', () => clean(page));
