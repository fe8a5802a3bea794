// The soundboard: sounds that are played in the voice channel where the user is.

import { useState } from 'preact/hooks';
import * as api from './api';
import { EmojiView } from './emoji';
import { Icon } from './icons';
import { attempt, guilds, me, world } from './store';
import { line } from './text';
import type { Guild, Sound } from './types';

const decoded = new Map<string, Promise<AudioBuffer>>();

/** Plays a sound of a guild. The default ones are Discord's own and have no file here. */
export async function playSound(id: string, context: AudioContext, output: AudioNode): Promise<void> {
  const sound = guilds.value.flatMap((guild) => guild.soundboard_sounds).find((one) => one.sound_id === id);
  if (!sound) return;
  let buffer = decoded.get(id);
  if (!buffer) {
    buffer = fetch(`/soundboard-sounds/${id}`).then(async (response) => context.decodeAudioData(await response.arrayBuffer()));
    decoded.set(id, buffer);
    buffer.catch(() => decoded.delete(id));
  }
  const source = context.createBufferSource();
  source.buffer = await buffer;
  const volume = context.createGain();
  volume.gain.value = sound.volume;
  source.connect(volume).connect(output);
  source.start();
}

export function Soundboard({ guild }: { guild: Guild }) {
  const [open, setOpen] = useState(false);
  const own = guild.soundboard_sounds.filter((sound) => sound.available);
  const play = (sound: Sound) => attempt(() => api.post(`guilds/${guild.id}/voice/${me.value!.id}/effects`, { sound: sound.sound_id }));
  return (
    <div class="soundboard">
      <button type="button" class="button secondary small" aria-expanded={open} onClick={() => setOpen(!open)}><Icon name="note" size={16} /> Soundboard</button>
      {open && (
        <div class="sounds" role="group" aria-label="Sounds">
          {[...own, ...world.sounds].map((sound) => (
            <button type="button" key={sound.sound_id} class="chip" title={sound.guild_id ? undefined : 'One of Discord’s own: bots hear of it, but its file is not here'} onClick={() => void play(sound)}>
              {(sound.emoji_id || sound.emoji_name) && <EmojiView emoji={{ id: sound.emoji_id, name: sound.emoji_name }} />} {line(sound.name)}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
