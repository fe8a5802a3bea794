// Emojis of reactions, buttons and menus.

import { plain } from './text';
import type { EmojiRef } from './types';

export function EmojiView({ emoji }: { emoji: EmojiRef }) {
  if (emoji.id) {
    const file = `/emojis/${emoji.id}.${emoji.animated ? 'gif' : 'png'}`;
    return <img class="emoji" src={file} alt={`:${emoji.name ?? 'emoji'}:`} draggable={false} />;
  }
  return <span class="unicode">{plain(emoji.name ?? '')}</span>;
}

/** What the control API takes for an emoji. */
export function emojiText(emoji: EmojiRef): string {
  return emoji.id ? `${emoji.name}:${emoji.id}` : emoji.name ?? '';
}
