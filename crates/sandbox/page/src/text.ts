// Text of others, made harmless, and the formats of dates and sizes.

/** C0, C1, DEL, line separators, and what changes the direction of text: as on the command line. */
const CONTROL = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f]/g;

/** Returns text whose control characters are visible. Tabs and line feeds stay. */
export function plain(text: string): string {
  return text.replace(CONTROL, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** The same within a line. */
export function line(text: string): string {
  return plain(text.replace(/\s*\n\s*/g, ' '));
}

/** Returns an address that may be followed: of the web, or Discord's own. */
export function safeUrl(url: string | undefined): string | undefined {
  return url && /^(https?|discord):\/\//i.test(url) ? url : undefined;
}

/** Returns a number with its noun, as in "1 command" and "2 commands". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

const EPOCH = 1420070400000n;

export function timeOf(id: string): Date {
  return new Date(Number((BigInt(id) >> 22n) + EPOCH));
}

/** Returns the id after this one. */
export function idAfter(id: string): string {
  return (BigInt(id) + 1n).toString();
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const short = new Intl.DateTimeFormat(undefined, { dateStyle: 'short' });
const long = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });

export const timeText = (date: Date): string => clock.format(date);
export const fullText = (date: Date): string => full.format(date);
export const dayText = (date: Date): string => long.format(date);

export function stampText(date: Date, now = new Date()): string {
  const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0) return clock.format(date);
  if (days === 1) return `Yesterday at ${clock.format(date)}`;
  return `${short.format(date)} ${clock.format(date)}`;
}

export function sameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString();
}

const STYLES: Record<string, Intl.DateTimeFormatOptions> = {
  t: { timeStyle: 'short' },
  T: { timeStyle: 'medium' },
  d: { dateStyle: 'short' },
  D: { dateStyle: 'long' },
  f: { dateStyle: 'long', timeStyle: 'short' },
  F: { dateStyle: 'full', timeStyle: 'short' },
  s: { dateStyle: 'short', timeStyle: 'short' },
  S: { dateStyle: 'short', timeStyle: 'medium' },
};

export function timestamp(seconds: number, format: string, now = Date.now()): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return 'Invalid date';
  if (format !== 'R') return new Intl.DateTimeFormat(undefined, STYLES[format] ?? STYLES.f).format(date);
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
  const away = (date.getTime() - now) / 1000;
  const units: [Intl.RelativeTimeFormatUnit, number][] = [
    ['year', 31_536_000],
    ['month', 2_592_000],
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
  ];
  for (const [unit, length] of units) {
    if (Math.abs(away) >= length) return relative.format(Math.round(away / length), unit);
  }
  return relative.format(Math.round(away), 'second');
}

export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(2)} MB`;
}

export function color(value: number): string {
  return `#${value.toString(16).padStart(6, '0')}`;
}

/** What text stands on, where it is hardest to read, and the end of the scale away from it. */
const GROUND = { dark: ['#444037', 255], light: ['#e3e5e8', 0] } as const;

function luminance(rgb: number[]): number {
  const [r, g, b] = rgb.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

const channels = (value: number): number[] => [value >> 16, (value >> 8) & 255, value & 255];
const readableColors = new Map<string, string>();

/** Returns a colour of others for text: as it is if it can be read in a theme, or else as near to it as can be read. */
export function readable(value: number, theme: string): string {
  const key = `${theme} ${value}`;
  const known = readableColors.get(key);
  if (known) return known;
  const [ground, end] = GROUND[theme === 'light' ? 'light' : 'dark'];
  const below = luminance(channels(Number.parseInt(ground.slice(1), 16)));
  let rgb = channels(value);
  for (let step = 0; step < 24; step += 1) {
    const above = luminance(rgb);
    if ((Math.max(above, below) + 0.05) / (Math.min(above, below) + 0.05) >= 4.5) break;
    rgb = rgb.map((one) => Math.round(one + (end - one) * 0.1));
  }
  const made = `rgb(${rgb.join(', ')})`;
  readableColors.set(key, made);
  return made;
}

export function readBase64(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(',', 2)[1] ?? '');
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
