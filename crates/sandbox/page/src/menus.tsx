// What opens at the pointer: profiles and context menus.

import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import * as api from './api';
import { runCommand } from './actions';
import { Avatar, Icon, type IconName } from './icons';
import { may } from './permissions';
import {
  attempt, become, channel, editing, fail, guild, guildOf, me, memberOf, nameOf, openChannel, place, replyTo, toast,
} from './store';
import { color, dayText, line, timeOf } from './text';
import type { Command, Message, User } from './types';
import { EPHEMERAL, COMPONENTS_V2 } from './store';
import { threadFrom } from './dialogs';

interface Entry {
  label: string;
  icon?: IconName;
  bad?: boolean;
  run: () => void;
}

interface Menu {
  x: number;
  y: number;
  label: string;
  entries: Entry[];
}

export const menu = signal<Menu | null>(null);
export const profile = signal<{ x: number; y: number; user: User } | null>(null);

function where(event: MouseEvent): { x: number; y: number } {
  // From the keyboard there is no pointer, but the element.
  if (event.clientX || event.clientY) return { x: event.clientX, y: event.clientY };
  const box = (event.currentTarget as Element | null)?.getBoundingClientRect();
  return { x: box?.left ?? 80, y: box?.bottom ?? 80 };
}

export function openProfile(event: MouseEvent, user: User): void {
  menu.value = null;
  profile.value = { ...where(event), user };
}

async function appCommands(type: number): Promise<Command[]> {
  const here = channel.value;
  if (!here) return [];
  const all: Command[] = await api.get('commands', { as: me.value!.id, channel: here.id });
  return all.filter((command) => command.type === type);
}

function copy(text: string): void {
  navigator.clipboard.writeText(text).then(
    () => (toast.value = { text: 'Copied.', bad: false }),
    () => (toast.value = { text: `This browser does not let the page copy; it is ${text}`, bad: true }),
  );
}

export async function openMessageMenu(event: MouseEvent, message: Message): Promise<void> {
  event.preventDefault();
  const at = where(event);
  const here = channel.value;
  if (!here || message.local) return;
  profile.value = null;
  const entries = messageEntries(message);
  menu.value = { ...at, label: 'Message', entries };
  try {
    const commands = await appCommands(3);
    const more = commands.map((command) => ({
      label: `Apps › ${line(command.name_localized ?? command.name)}`,
      icon: 'code' as const,
      run: () => void runCommand(here.id, command, [], [], {}, message.id),
    }));
    if (more.length && menu.value?.entries === entries) menu.value = { ...menu.value, entries: [...entries, ...more] };
  } catch (error) {
    fail(error);
  }
}

function messageEntries(message: Message): Entry[] {
  const here = channel.value!;
  const own = message.author.id === me.value!.id;
  const alone = (message.flags & EPHEMERAL) !== 0;
  const as = me.value!.id;
  const entries: Entry[] = [];
  if (!alone) entries.push({ label: 'Reply', icon: 'reply', run: () => (replyTo.value = message) });
  if (own && message.type !== 6 && !(message.flags & COMPONENTS_V2)) entries.push({ label: 'Edit Message', icon: 'edit', run: () => (editing.value = message.id) });
  if (!alone && may(here, 'PIN_MESSAGES')) {
    const path = `messages/${message.id}/pin`;
    entries.push({
      label: message.pinned ? 'Unpin Message' : 'Pin Message',
      icon: 'pin',
      run: () => void attempt(() => (message.pinned ? api.del(path, { as }) : api.put(path, { as }))),
    });
  }
  if (!alone && !message.thread && [0, 5].includes(here.type) && may(here, 'CREATE_PUBLIC_THREADS')) {
    entries.push({ label: 'Create Thread', icon: 'thread', run: () => threadFrom(message) });
  }
  if (here.type === 5 && own && !(message.flags & 1)) {
    entries.push({ label: 'Publish', icon: 'news', run: () => void attempt(() => api.post(`messages/${message.id}/crosspost`, { as })) });
  }
  if (message.content) entries.push({ label: 'Copy Text', icon: 'file', run: () => copy(message.content) });
  entries.push({ label: 'Copy Message ID', icon: 'hash', run: () => copy(message.id) });
  if (!alone && (own || may(here, 'MANAGE_MESSAGES'))) {
    entries.push({
      label: 'Delete Message', icon: 'trash', bad: true,
      run: () => void attempt(() => api.del(`messages/${message.id}`, { as })),
    });
  }
  return entries;
}

export async function openUserMenu(event: MouseEvent, user: User): Promise<void> {
  event.preventDefault();
  const at = where(event);
  const here = channel.value;
  const entries: Entry[] = [{ label: 'Profile', icon: 'people', run: () => (profile.value = { ...at, user }) }];
  if (user.id !== me.value!.id) entries.push({ label: 'Message', icon: 'at', run: () => void openDirect(user) });
  if (!user.bot && user.id !== me.value!.id) entries.push({ label: `Become ${line(user.username)}`, icon: 'people', run: () => become(user) });
  entries.push({ label: 'Copy User ID', icon: 'hash', run: () => copy(user.id) });
  menu.value = { ...at, label: line(user.username), entries };
  if (!here) return;
  try {
    const more = (await appCommands(2)).map((command) => ({
      label: `Apps › ${line(command.name_localized ?? command.name)}`,
      icon: 'code' as const,
      run: () => void runCommand(here.id, command, [], [], {}, user.id),
    }));
    if (more.length && menu.value?.entries === entries) menu.value = { ...menu.value, entries: [...entries, ...more] };
  } catch (error) {
    fail(error);
  }
}

export async function openDirect(user: User): Promise<void> {
  const opened = await attempt(() => api.post('direct-messages', { as: me.value!.id, with: user.id }));
  if (opened) openChannel(null, opened.id);
}

/** Moves focus with the arrow keys, and closes with Escape or a click elsewhere. */
function usePopup(close: () => void) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = ref.current!;
    const before = document.activeElement as HTMLElement | null;
    (box.querySelector('button') ?? box).focus();
    const key = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        close();
        before?.focus();
        return;
      }
      const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
      if (!step) return;
      event.preventDefault();
      const all = [...box.querySelectorAll('button')];
      const at = all.indexOf(document.activeElement as HTMLButtonElement);
      all[(at + step + all.length) % all.length]?.focus();
    };
    const click = (event: MouseEvent): void => {
      if (!box.contains(event.target as globalThis.Node)) close();
    };
    box.addEventListener('keydown', key);
    const timer = setTimeout(() => document.addEventListener('mousedown', click));
    return () => {
      clearTimeout(timer);
      box.removeEventListener('keydown', key);
      document.removeEventListener('mousedown', click);
    };
  }, []);
  return ref;
}

function place_(at: { x: number; y: number }, width: number, height: number) {
  return {
    left: `${Math.max(8, Math.min(at.x, innerWidth - width - 8))}px`,
    top: `${Math.max(8, Math.min(at.y, innerHeight - height - 8))}px`,
  };
}

function MenuBox({ open }: { open: Menu }) {
  const ref = usePopup(() => (menu.value = null));
  return (
    <div ref={ref} class="menu" role="menu" aria-label={open.label} tabIndex={-1} style={place_(open, 220, open.entries.length * 34 + 16)}>
      {open.entries.map((entry) => (
        <button type="button" role="menuitem" class={entry.bad ? 'bad' : ''} onClick={() => { menu.value = null; entry.run(); }}>
          <span>{entry.label}</span>
          {entry.icon && <Icon name={entry.icon} size={18} />}
        </button>
      ))}
    </div>
  );
}

function ProfileBox({ open }: { open: { x: number; y: number; user: User } }) {
  const ref = usePopup(() => (profile.value = null));
  const { user } = open;
  const here = guild.value ?? guildOf(channel.value);
  const member = memberOf(here, user.id);
  const roles = (here?.roles ?? []).filter((role) => member?.roles.includes(role.id)).sort((a, b) => b.position - a.position);
  const presence = here?.presences.find((one) => one.user.id === user.id);
  return (
    <div ref={ref} class="profile" role="dialog" aria-label={`Profile of ${line(user.username)}`} tabIndex={-1} style={place_(open, 300, 340)}>
      <div class="profile-banner" />
      <Avatar id={user.id} name={nameOf(user, here)} size={80} status={presence?.status ?? 'offline'} />
      <div class="profile-body">
        <h2>{line(nameOf(user, here))} {user.bot && <span class="tag">APP</span>}</h2>
        <p class="muted">{line(user.username)}{user.discriminator !== '0' && `#${user.discriminator}`}</p>
        {presence?.activities.map((activity) => <p>{['Playing ', 'Streaming ', 'Listening to ', 'Watching ', '', 'Competing in '][activity.type] ?? ''}{line(activity.type === 4 ? activity.state ?? '' : activity.name)}</p>)}
        <h3>Member since</h3>
        <p>{dayText(timeOf(user.id))}</p>
        {roles.length > 0 && <h3>Roles</h3>}
        <div class="chips">
          {roles.map((role) => (
            <span class="chip"><i style={{ background: role.color ? color(role.color) : 'var(--muted)' }} />{line(role.name)}</span>
          ))}
        </div>
        <div class="row">
          {user.id !== me.value!.id && <button type="button" class="button" onClick={() => { profile.value = null; void openDirect(user); }}>Message</button>}
          {!user.bot && user.id !== me.value!.id && <button type="button" class="button secondary" onClick={() => { profile.value = null; become(user); }}>Become</button>}
        </div>
      </div>
    </div>
  );
}

export function Popups() {
  void place.value;
  return (
    <>
      {menu.value && <MenuBox key={`${menu.value.x}/${menu.value.y}`} open={menu.value} />}
      {profile.value && <ProfileBox key={profile.value.user.id} open={profile.value} />}
    </>
  );
}
