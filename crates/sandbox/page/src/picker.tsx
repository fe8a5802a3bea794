// The emoji picker: common emojis and those of the user's guilds.

import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { EmojiView, emojiText } from './emoji';
import { guilds } from './store';
import { line } from './text';

const COMMON: [string, string][] = [
  ['👍', 'thumbsup'], ['👎', 'thumbsdown'], ['❤️', 'heart'], ['😂', 'joy'], ['😄', 'smile'], ['😊', 'blush'], ['😍', 'heart_eyes'],
  ['🤔', 'thinking'], ['😮', 'open_mouth'], ['😢', 'cry'], ['😭', 'sob'], ['😡', 'rage'], ['🎉', 'tada'], ['🔥', 'fire'], ['✨', 'sparkles'],
  ['👀', 'eyes'], ['👏', 'clap'], ['🙏', 'pray'], ['💯', '100'], ['✅', 'white_check_mark'], ['❌', 'x'], ['⚠️', 'warning'], ['❓', 'question'],
  ['❗', 'exclamation'], ['⭐', 'star'], ['🚀', 'rocket'], ['🐛', 'bug'], ['🎵', 'musical_note'], ['🎲', 'game_die'], ['☕', 'coffee'], ['🍕', 'pizza'],
  ['🐱', 'cat'], ['🐶', 'dog'], ['🦀', 'crab'], ['🐍', 'snake'], ['🌈', 'rainbow'], ['☀️', 'sunny'], ['🌙', 'crescent_moon'], ['⏰', 'alarm_clock'],
  ['1️⃣', 'one'], ['2️⃣', 'two'], ['3️⃣', 'three'], ['➡️', 'arrow_right'], ['⬅️', 'arrow_left'], ['⬆️', 'arrow_up'], ['⬇️', 'arrow_down'],
];

export const EMOJIS = COMMON;

const open = signal<{ x: number; y: number; pick: (emoji: string) => void } | null>(null);

export function openPicker(event: MouseEvent, pick: (emoji: string) => void): void {
  const box = (event.currentTarget as Element).getBoundingClientRect();
  open.value = { x: box.right, y: box.top, pick };
}

export function EmojiPicker() {
  const at = open.value;
  return at && <Box key={`${at.x}/${at.y}`} {...at} />;
}

function Box({ x, y, pick }: { x: number; y: number; pick: (emoji: string) => void }) {
  const [filter, setFilter] = useState('');
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    box.current!.querySelector('input')!.focus();
    const click = (event: MouseEvent): void => {
      if (!box.current!.contains(event.target as Node)) open.value = null;
    };
    document.addEventListener('mousedown', click);
    return () => {
      document.removeEventListener('mousedown', click);
      before?.focus();
    };
  }, []);
  const choose = (emoji: string): void => {
    open.value = null;
    pick(emoji);
  };
  const own = guilds.value.flatMap((guild) => guild.emojis).filter((emoji) => emoji.name.toLowerCase().includes(filter.toLowerCase()));
  const common = COMMON.filter(([, name]) => name.includes(filter.toLowerCase()));
  const typed = filter && /\p{Extended_Pictographic}|\p{Regional_Indicator}/u.test(filter) ? filter.trim() : null;
  const left = Math.max(8, Math.min(x - 320, innerWidth - 328));
  const top = Math.max(8, Math.min(y - 100, innerHeight - 318));
  return (
    <div ref={box} class="picker" role="dialog" aria-label="Emojis" style={{ left: `${left}px`, top: `${top}px` }} onKeyDown={(event) => { if (event.key === 'Escape') { event.stopPropagation(); open.value = null; } }}>
      <input class="field" aria-label="Find an emoji" placeholder="Find an emoji" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} onKeyDown={(event) => { if (event.key === 'Enter') { const first = typed ?? common[0]?.[0]; if (first) choose(first); } }} />
      <div class="picker-list">
        {typed && <button type="button" aria-label={typed} onClick={() => choose(typed)}>{typed}</button>}
        {own.map((emoji) => <button type="button" key={emoji.id} aria-label={line(emoji.name)} title={`:${line(emoji.name)}:`} onClick={() => choose(emojiText(emoji))}><EmojiView emoji={emoji} /></button>)}
        {common.map(([emoji, name]) => <button type="button" key={name} aria-label={name} title={`:${name}:`} onClick={() => choose(emoji)}>{emoji}</button>)}
      </div>
    </div>
  );
}
