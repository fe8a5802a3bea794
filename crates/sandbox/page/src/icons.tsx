// Icons, drawn for this page: 24 by 24, in the colour of the text.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { userOf } from './store';

const PATHS = {
  hash: 'M10 3 8 21M16 3l-2 18M4 8.5h17M3 15.5h17',
  voice: 'M4 9.5v5h3.5L12 19V5L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6a8 8 0 0 1 0 12',
  stage: 'M12 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M7.5 20c0-3 2-5 4.5-5s4.5 2 4.5 5M6 13.5a7 7 0 1 1 12 0',
  forum: 'M4 5h16v11H11l-4 4v-4H4zM8 9h8M8 12h5',
  news: 'M4 10v4h3l8 4V6l-8 4zM18 9.5a3.5 3.5 0 0 1 0 5M8 14.5V19h2.5v-3.5',
  thread: 'M4 5h13v9h-6l-3 3v-3H4zM20 9v8h-2v3l-3-3h-3',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  chevron: 'm7 10 5 5 5-5',
  plus: 'M12 5v14M5 12h14',
  close: 'm6 6 12 12M18 6 6 18',
  reply: 'M10 6 4 11.5 10 17v-3.5c5 0 8 1.5 10 4.5-.5-5-4-9-10-9z',
  edit: 'm5 16-1 4 4-1L19 8l-3-3zM14 7l3 3',
  trash: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
  pin: 'M9 4h6l-1 6 3 3v2H7v-2l3-3zM12 15v5',
  smile: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M8.5 14.5c1.8 2.4 5.2 2.4 7 0M9 9.5h.01M15 9.5h.01',
  people: 'M9 11.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6M3 19c0-3.5 2.5-5.5 6-5.5s6 2 6 5.5M15.5 5.8a3 3 0 0 1 0 5.4M17 13.8c2.4.5 4 2.3 4 5.2',
  code: 'm8 7-5 5 5 5M16 7l5 5-5 5M13.5 5l-3 14',
  gear: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 9.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5M9 19.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5',
  menu: 'M4 7h16M4 12h16M4 17h16',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  leave: 'M4 14c5-4 11-4 16 0l-2 3-3.5-1.5V13c-1.6-.5-3.4-.5-5 0v2.500L6 17z',
  mic: 'M12 14a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3M6 11a6 6 0 0 0 12 0M12 17v4',
  muted: 'M9 9v2a3 3 0 0 0 4.500 2.600M15 10V6a3 3 0 0 0-5.700-1.200M6 11a6 6 0 0 0 9 5.200M18 11a6 6 0 0 1-.7 2.800M12 17v4M4 4l16 16',
  deaf: 'M4 14v-2a8 8 0 0 1 13.500-5.800M20 12v2M4 14h3v6H4zM17 17v3M4 4l16 16',
  hand: 'M8 12V6a1.500 1.500 0 0 1 3 0v5V4.500a1.500 1.500 0 0 1 3 0V11V6a1.500 1.500 0 0 1 3 0v8c0 4-2 6-5.500 6C8 20 7 18 5 14.500c-.8-1.500 1-2.500 2-1.500z',
  external: 'M14 4h6v6M20 4l-9 9M18 14v6H4V6h6',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600 7 7M17 17l1.400 1.400M18.400 5.600 17 7M7 17l-1.400 1.400',
  at: 'M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0v1.500a2.500 2.500 0 0 0 5 0V12a9 9 0 1 0-4 7.500',
  poll: 'M5 20V10M12 20V4M19 20v-7',
  check: 'm5 12.500 5 5L19 7',
  search: 'M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13M15.500 15.500 20 20',
  link: 'M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.700-5.700L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.700 5.700L12 17',
  calendar: 'M5 6h14v14H5zM5 10h14M9 3v4M15 3v4',
  note: 'M9 18V6l10-2v12M6.500 20.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5M16.500 18.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5',
  invite: 'M10 11.500a3 3 0 1 0 0-6 3 3 0 0 0 0 6M4 19c0-3.500 2.500-5.500 6-5.500 1.500 0 2.800.4 3.800 1M18 13v6M15 16h6',
  reload: 'M19 12a7 7 0 1 1-2-5l2 2M19 4v5h-5',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

const COLORS = ['#5865f2', '#747f8d', '#3ba55c', '#faa61a', '#ed4245', '#eb459e'];

export function DefaultAvatar({ index, size, letter }: { index: number; size: number; letter: string }) {
  return (
    <svg width={size} height={size} viewBox="0 0 40 40" aria-hidden="true">
      <circle cx="20" cy="20" r="20" fill={COLORS[index]} />
      {letter ? (
        <text x="20" y="20" dy=".36em" text-anchor="middle" fill="#fff" font-size="19" font-weight="600">{letter}</text>
      ) : (
        <path d="M20 19a6 6 0 1 0 0-12 6 6 0 0 0 0 12M8 33c0-7 5-11 12-11s12 4 12 11" fill="#fff" />
      )}
    </svg>
  );
}

/** Pictures that could not be loaded: hashes of which the sandbox has no file. */
const missing = new Set<string>();

/** A picture that an account or server has uploaded; what is drawn in its place if there is none. */
export function Uploaded({ folder, id, hash, size, children }: { folder: 'avatars' | 'icons'; id: string; hash: string | null | undefined; size: number; children: ComponentChildren }) {
  const [, failed] = useState('');
  if (!hash || missing.has(hash)) return <>{children}</>;
  return <img class="uploaded" src={`/${folder}/${id}/${hash}.png`} alt="" width={size} height={size} draggable={false} onError={() => { missing.add(hash); failed(hash); }} />;
}

/**
 * The picture of an account. Without one it is one of six colours by its id, as on Discord. `hash` is that of a webhook, which is no
 * account.
 */
export function Avatar({ id, name, size = 40, status, hash }: { id: string; name: string; size?: number; status?: string; hash?: string | null }) {
  let index = 0;
  try {
    index = Number((BigInt(id) >> 22n) % 6n);
  } catch {
    index = 0;
  }
  const letters = [...name.trim()].slice(0, 1).join('').toUpperCase() || '?';
  return (
    <span class="avatar" style={{ width: `${size}px`, height: `${size}px` }}>
      <Uploaded folder="avatars" id={id} hash={hash ?? userOf(id)?.avatar} size={size}><DefaultAvatar index={index} size={size} letter={letters} /></Uploaded>
      {status && <span class={`status status-${status}`} />}
    </span>
  );
}

export function IconButton({ name, label, onClick, size = 20, pressed, expanded, kind = '', disabled }: {
  name: IconName; label: string; onClick: (event: MouseEvent) => void; size?: number; pressed?: boolean;
  expanded?: boolean; kind?: string; disabled?: boolean;
}) {
  return (
    <button type="button" class={`icon-button ${kind}`} aria-label={label} title={label} aria-pressed={pressed} aria-expanded={expanded} disabled={disabled} onClick={onClick}>
      <Icon name={name} size={size} />
    </button>
  );
}
