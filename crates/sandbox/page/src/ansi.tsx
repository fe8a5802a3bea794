// Code blocks of the language "ansi": the colours that Discord draws.

import type { ComponentChild } from 'preact';
import { plain } from './text';

export function ansi(text: string): ComponentChild {
  let bold = false;
  let underline = false;
  let front = '';
  let back = '';
  const out: ComponentChild[] = [];
  const parts = text.split(/\x1b\[([\d;]*)m/);
  parts.forEach((part, index) => {
    if (index % 2 === 0) {
      if (!part) return;
      const style = [front, back, bold && 'ansi-bold', underline && 'ansi-underline'].filter(Boolean).join(' ');
      out.push(style ? <span class={style}>{plain(part)}</span> : plain(part));
      return;
    }
    for (const code of part.split(';').map(Number)) {
      if (code === 0) {
        bold = underline = false;
        front = back = '';
      } else if (code === 1) bold = true;
      else if (code === 4) underline = true;
      else if (code >= 30 && code <= 37) front = `ansi-${code}`;
      else if (code >= 40 && code <= 47) back = `ansi-${code}`;
    }
  });
  return <>{out}</>;
}
