// Menus: of options, users, roles and channels; in messages and in modals.

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { EmojiView } from './emoji';
import { Avatar, Icon } from './icons';
import { nameOf } from './store';
import { color, line } from './text';
import type { Channel, Component, Guild, SelectOption } from './types';

export interface Item extends SelectOption {
  kind?: 'user' | 'role' | 'channel';
  color?: number;
}

export const KIND = { STRING: 3, USER: 5, ROLE: 6, MENTIONABLE: 7, CHANNEL: 8 } as const;

/** Returns what a menu offers here. */
export function itemsOf(select: Component, guild: Guild | null, channel: Channel | null): Item[] {
  if (select.type === KIND.STRING) return select.options ?? [];
  const items: Item[] = [];
  if (select.type === KIND.USER || select.type === KIND.MENTIONABLE) items.push(...users(guild, channel));
  if (select.type === KIND.ROLE || select.type === KIND.MENTIONABLE) items.push(...roles(guild));
  if (select.type === KIND.CHANNEL) items.push(...channels(guild, select.channel_types));
  const chosen = new Set(select.default_values?.map((value) => value.id));
  return items.map((item) => (chosen.has(item.value) ? { ...item, default: true } : item));
}

/** Returns the items that contain a text, those that begin with it first. */
export function matching<T extends Item>(items: T[], text: string): T[] {
  const wanted = text.toLowerCase();
  const texts = (item: T): string[] => [item.label, item.description ?? ''].map((one) => one.toLowerCase());
  const found = items.filter((item) => texts(item).some((one) => one.includes(wanted)));
  const begins = (item: T): boolean => texts(item).some((one) => one.startsWith(wanted));
  return [...found.filter(begins), ...found.filter((item) => !begins(item))];
}

export function users(guild: Guild | null, channel: Channel | null): Item[] {
  const all = guild ? guild.members.map((member) => member.user) : channel?.recipients ?? [];
  return all.map((user) => ({ kind: 'user', label: nameOf(user, guild), value: user.id, description: user.username }));
}

export function roles(guild: Guild | null): Item[] {
  const all = [...(guild?.roles ?? [])].sort((a, b) => b.position - a.position);
  return all.map((role) => ({ kind: 'role', label: role.name, value: role.id, color: role.color }));
}

export function channels(guild: Guild | null, types?: number[]): Item[] {
  const all = [...(guild?.channels ?? []), ...(guild?.threads ?? [])];
  const fit = all.filter((one) => !types?.length || types.includes(one.type));
  return fit.map((one) => ({ kind: 'channel', label: one.name, value: one.id }));
}

export function ItemView({ item }: { item: Item }) {
  return (
    <>
      {item.kind === 'user' && <Avatar id={item.value} name={item.label} size={24} />}
      {item.kind === 'role' && <span class="swatch" style={{ background: item.color ? color(item.color) : 'var(--muted)' }} />}
      {item.kind === 'channel' && <Icon name="hash" size={16} />}
      {item.emoji && <EmojiView emoji={item.emoji} />}
      <span class="item-text">
        <span>{line(item.label)}</span>
        {item.description && <small>{line(item.description)}</small>}
      </span>
    </>
  );
}

export function Select({ select, items, label, disabled, busy, onChoose, onChange, invalid }: {
  select: Component;
  items: Item[];
  label: string;
  disabled?: boolean;
  busy?: boolean;
  /** The choice is made: the menu is closed. */
  onChoose?: (values: string[]) => void;
  onChange?: (values: string[]) => void;
  invalid?: boolean;
}) {
  const initial = items.filter((item) => item.default).map((item) => item.value);
  const [values, setValues] = useState<string[]>(initial);
  const [open, setOpen] = useState(false);
  const [filter, setFilter] = useState('');
  const [at, setAt] = useState(0);
  const [up, setUp] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const least = select.min_values ?? 1;
  const most = select.max_values ?? 1;
  const single = most === 1;
  const shown = matching(items, filter);

  // A menu shows its defaults again when the bot sends new ones.
  const defaults = initial.join();
  useEffect(() => setValues(initial), [defaults]);

  const show = (): void => {
    // Above, where there is no room below.
    setUp(box.current!.getBoundingClientRect().bottom + 280 > innerHeight);
    setOpen(true);
  };
  const close = (chosen: string[] | null): void => {
    setOpen(false);
    setFilter('');
    if (chosen) onChoose?.(chosen);
  };
  const toggle = (value: string): void => {
    let next: string[];
    if (single) next = values.includes(value) && least === 0 ? [] : [value];
    else if (values.includes(value)) next = values.filter((one) => one !== value);
    else if (values.length < most) next = [...values, value];
    else return;
    setValues(next);
    onChange?.(next);
    if (single) close(next);
  };
  const leave = (): void => {
    if (!open) return;
    const changed = values.join() !== initial.join();
    close(!single && changed && values.length >= least ? values : null);
  };
  useEffect(() => {
    if (!open) return;
    const click = (event: MouseEvent): void => {
      if (!box.current!.contains(event.target as Node)) leave();
    };
    document.addEventListener('mousedown', click);
    return () => document.removeEventListener('mousedown', click);
  });
  const key = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      if (!open) return;
      event.stopPropagation();
      leave();
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!open) return show();
      setAt((at + (event.key === 'ArrowDown' ? 1 : -1) + shown.length) % Math.max(1, shown.length));
    } else if (event.key === 'Enter' && open) {
      event.preventDefault();
      const item = shown[at];
      if (item) toggle(item.value);
    }
  };
  const chosen = values.map((value) => items.find((item) => item.value === value)).filter((item) => item !== undefined);
  const active = open && shown[at] ? `${id}-${at}` : undefined;
  return (
    <div class="select" ref={box} onKeyDown={key}>
      <div class={`select-box ${disabled ? 'disabled' : ''} ${invalid ? 'invalid' : ''}`} onClick={() => { if (!disabled && !busy) open ? leave() : show(); }}>
        {!open && chosen.map((item) => <span class={single ? 'select-one' : 'select-chip'} key={item.value}><ItemView item={single ? { ...item, description: undefined } : { ...item, description: undefined }} /></span>)}
        <input
          role="combobox" aria-label={label} aria-expanded={open} aria-controls={`${id}-list`} aria-activedescendant={active} aria-invalid={invalid}
          value={filter} disabled={disabled || busy} placeholder={open || !chosen.length ? line(select.placeholder ?? (single ? 'Make a selection' : 'Make selections')) : ''}
          onInput={(event) => { setFilter(event.currentTarget.value); setAt(0); if (!open) show(); }}
        />
        {busy ? <span class="dots" aria-label="Loading"><i /><i /><i /></span> : <Icon name="chevron" size={20} />}
      </div>
      {open && (
        <div class={`select-list ${up ? 'up' : ''}`} role="listbox" id={`${id}-list`} aria-label={label} aria-multiselectable={!single}>
          {shown.length === 0 && <div class="select-empty">Nothing found</div>}
          {shown.slice(0, 100).map((item, index) => (
            <div
              key={item.value} id={`${id}-${index}`} role="option" aria-selected={values.includes(item.value)} class={`select-item ${index === at ? 'at' : ''}`}
              onMouseMove={() => setAt(index)} onMouseDown={(event) => event.preventDefault()} onClick={() => toggle(item.value)}
            >
              <ItemView item={item} />
              {!single ? <span class={`tick ${values.includes(item.value) ? 'on' : ''}`} /> : values.includes(item.value) && <span class="tick on" />}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}
