// Voice: being in a channel, who speaks there, and hearing it. Opus comes in the stream; the browser decodes it.

import { computed, signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import * as api from './api';
import { Icon, IconButton } from './icons';
import { may } from './permissions';
import { playSound, Soundboard } from './soundboard';
import { attempt, findChannel, guilds, me, onSound, onSoundboard, stream, toast } from './store';
import { line } from './text';
import type { Channel, Guild, VoiceState } from './types';

/** Where the user is in voice. */
export const voiceHere = computed<(VoiceState & { guild: Guild }) | null>(() => {
  for (const guild of guilds.value) {
    const state = guild.voice_states.find((one) => one.user_id === me.value?.id);
    if (state) return { ...state, guild };
  }
  return null;
});

export const speaking = signal<Set<string>>(new Set());
export const volume = signal(1);

const SILENT_AFTER = 250;
const RATE = 48_000;
/** Seconds of sound that are kept ready, so that a late packet is no gap. */
const AHEAD = 0.12;

interface Voice {
  decoder: AudioDecoder | null;
  /** When the next sound begins, in seconds of the context. */
  next: number;
  stamp: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  user: string;
}

let context: AudioContext | null = null;
let gain: GainNode | null = null;
let meter: AnalyserNode | null = null;
const voices = new Map<number, Voice>();

declare global {
  interface Window {
    /** How loud it is now, from 0 to 1, and the strongest tone in it, in hertz. */
    sandboxVoice: () => { loudness: number; pitch: number };
  }
}

window.sandboxVoice = () => {
  if (!meter || !context) return { loudness: 0, pitch: 0 };
  const samples = new Float32Array(meter.fftSize);
  meter.getFloatTimeDomainData(samples);
  const loudness = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
  const bins = new Float32Array(meter.frequencyBinCount);
  meter.getFloatFrequencyData(bins);
  const strongest = bins.reduce((best, level, at) => (level > bins[best]! ? at : best), 0);
  return { loudness, pitch: (strongest * context.sampleRate) / meter.fftSize };
};

function start(): void {
  stream.listen(true);
  if (context) {
    void context.resume();
    return;
  }
  context = new AudioContext({ sampleRate: RATE, latencyHint: 'interactive' });
  gain = context.createGain();
  gain.gain.value = volume.value;
  meter = context.createAnalyser();
  gain.connect(meter).connect(context.destination);
}

function stop(): void {
  stream.listen(false);
  for (const voice of voices.values()) voice.decoder?.close();
  voices.clear();
  speaking.value = new Set();
}

export function setVolume(value: number): void {
  volume.value = value;
  if (gain) gain.gain.value = value;
}

/** Bytes of an Opus frame that carries silence. */
const SILENCE = 3;

function hear(frame: ArrayBuffer): void {
  const view = new DataView(frame);
  const user = view.getBigUint64(8).toString();
  const ssrc = view.getUint32(16);
  const stamp = view.getUint32(20);
  const opus = new Uint8Array(frame, 26);
  let voice = voices.get(ssrc);
  if (!voice) voices.set(ssrc, (voice = { decoder: decoder(ssrc), next: 0, stamp, timer: undefined, user }));
  if (opus.length > SILENCE) talks(voice);
  if (!voice.decoder || !context || context.state !== 'running') return;
  voice.decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp: (stamp / RATE) * 1e6, data: opus }));
}

function talks(voice: Voice): void {
  if (!speaking.value.has(voice.user)) speaking.value = new Set(speaking.value).add(voice.user);
  clearTimeout(voice.timer);
  voice.timer = setTimeout(() => {
    const next = new Set(speaking.value);
    next.delete(voice.user);
    speaking.value = next;
  }, SILENT_AFTER);
}

let told = false;

function decoder(ssrc: number): AudioDecoder | null {
  if (typeof AudioDecoder === 'undefined') {
    if (!told) toast.value = { text: 'This browser cannot decode Opus (WebCodecs), so voice is silent here. Who speaks is still shown.', bad: true };
    told = true;
    return null;
  }
  const made = new AudioDecoder({
    output: (data) => play(ssrc, data),
    error: (error) => {
      voices.delete(ssrc);
      toast.value = { text: `The sound of a voice could not be decoded: ${error.message}`, bad: true };
    },
  });
  made.configure({ codec: 'opus', sampleRate: RATE, numberOfChannels: 2 });
  return made;
}

function play(ssrc: number, data: AudioData): void {
  const voice = voices.get(ssrc);
  if (!voice || !context || !gain) return data.close();
  const buffer = context.createBuffer(data.numberOfChannels, data.numberOfFrames, data.sampleRate);
  for (let plane = 0; plane < data.numberOfChannels; plane += 1) {
    const samples = new Float32Array(data.numberOfFrames);
    data.copyTo(samples, { planeIndex: plane, format: 'f32-planar' });
    buffer.copyToChannel(samples, plane);
  }
  data.close();
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(gain);
  // After a pause, or when it has fallen behind, sound begins anew a little ahead.
  if (voice.next < context.currentTime) voice.next = context.currentTime + AHEAD;
  source.start(voice.next);
  voice.next += buffer.duration;
}

export function setUpVoice(): void {
  onSound(hear);
  onSoundboard((sound) => {
    if (context?.state === 'running' && gain) playSound(sound, context, gain).catch((error) => (toast.value = { text: `The sound could not be played: ${(error as Error).message}`, bad: true }));
  });
}

export async function toggleVoice(guild: string, channel: Channel): Promise<void> {
  const here = voiceHere.value;
  const path = `guilds/${guild}/voice/${me.value!.id}`;
  if (here?.channel_id === channel.id) return leave();
  // Browsers let a page play sound only in answer to a click.
  start();
  const done = await attempt(() => api.put(path, { channel: channel.id }).then(() => true));
  if (!done && !voiceHere.value) stop();
}

async function leave(): Promise<void> {
  const here = voiceHere.value;
  if (!here) return;
  stop();
  await attempt(() => api.del(`guilds/${here.guild.id}/voice/${me.value!.id}`));
}

export function VoicePanel() {
  const here = voiceHere.value;
  const [silent, setSilent] = useState(true);
  if (!here) return null;
  const channel = findChannel(here.channel_id);
  const update = (change: { self_mute?: boolean; self_deaf?: boolean }) =>
    attempt(() => api.put(`guilds/${here.guild.id}/voice/${me.value!.id}`, { channel: here.channel_id, self_mute: here.self_mute, self_deaf: here.self_deaf, ...change }));
  const hearing = context?.state === 'running';
  return (
    <section class="voice-panel" aria-label="Voice">
      <div class="voice-line">
        <span class="item-text"><b class="good">Voice connected</b><small>{line(channel?.name ?? '')} / {line(here.guild.name)}</small></span>
        <IconButton name={here.self_mute ? 'muted' : 'mic'} label="Mute" pressed={here.self_mute} onClick={() => void update({ self_mute: !here.self_mute })} />
        <IconButton name={here.self_deaf ? 'deaf' : 'voice'} label="Deafen" pressed={here.self_deaf} onClick={() => void update({ self_deaf: !here.self_deaf })} />
        <IconButton name="leave" label="Disconnect" kind="bad" onClick={() => void leave()} />
      </div>
      {!hearing && silent && <button type="button" class="button secondary" onClick={() => { start(); setSilent(false); }}><Icon name="voice" /> Hear this channel</button>}
      <label class="volume"><span>Volume</span><input type="range" min="0" max="2" step="0.05" value={volume.value} onInput={(event) => setVolume(Number(event.currentTarget.value))} /></label>
      {channel && !here.self_deaf && may(channel, 'SPEAK') && may(channel, 'USE_SOUNDBOARD') && <Soundboard guild={here.guild} />}
      {channel?.type === 13 && <StagePanel channel={channel} guild={here.guild} state={here} />}
    </section>
  );
}

function StagePanel({ channel, guild, state }: { channel: Channel; guild: Guild; state: VoiceState }) {
  const stage = guild.stage_instances.find((one) => one.channel_id === channel.id);
  const [topic, setTopic] = useState('');
  const moderates = may(channel, 'MUTE_MEMBERS');
  const as = me.value!.id;
  const others = guild.voice_states.filter((one) => one.channel_id === channel.id && (one.suppress || one.request_to_speak_timestamp));
  return (
    <div class="stage-panel">
      {stage ? (
        <div class="voice-line"><span class="item-text"><b>{line(stage.topic)}</b><small>Live on stage</small></span>{moderates && <button type="button" class="link-button" onClick={() => void attempt(() => api.del(`stages/${channel.id}`, { as }))}>End</button>}</div>
      ) : moderates ? (
        <form class="voice-line" onSubmit={(event) => { event.preventDefault(); void attempt(() => api.post('stages', { as, channel: channel.id, topic })); }}>
          <input class="field" aria-label="Topic of the stage" placeholder="Topic" required value={topic} onInput={(event) => setTopic(event.currentTarget.value)} />
          <button class="button primary small">Start</button>
        </form>
      ) : null}
      {moderates && others.map((one) => (
        <div class="voice-line" key={one.user_id}>
          <span class="item-text">{line(nameIn(guild, one.user_id))}{one.request_to_speak_timestamp && <small>wants to speak</small>}</span>
          <button type="button" class="link-button" onClick={() => void attempt(() => api.patch(`guilds/${guild.id}/voice/${one.user_id}`, { suppress: false }))}>{one.user_id === state.user_id ? 'Speak' : 'Let speak'}</button>
        </div>
      ))}
    </div>
  );
}

function nameIn(guild: Guild, user: string): string {
  const member = guild.members.find((one) => one.user.id === user);
  return member?.nick ?? member?.user.global_name ?? member?.user.username ?? user;
}
