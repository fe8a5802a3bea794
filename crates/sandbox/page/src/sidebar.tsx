// Guilds, channels, direct messages, and who the user is.

import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { admin } from './admin';
import * as api from './api';
import { dialog } from './dialogs';
import { Avatar, Icon, IconButton, Uploaded, type IconName } from './icons';
import { openDirect, openProfile, openUserMenu } from './menus';
import {
  attempt, become, botStatus, directs, fail, guild, guilds, me, nameOf, openChannel, openGuild, place, themeNow, unread, userOf, users,
} from './store';
import { line } from './text';
import type { Channel, Guild, VoiceState } from './types';
import { speaking, toggleVoice, voiceHere, VoicePanel } from './voice';

/** Whether the lists are shown, in a narrow window. */
export const navigation = signal(false);

export function GuildBar() {
  return (
    <nav class="guilds" aria-label="Servers">
      <GuildButton id={null} label="Direct Messages" active={place.value.guild === null} count={total(directs.value)} fresh={directs.value.some((one) => unread.value.has(one.id))}>
        <Icon name="at" size={24} />
      </GuildButton>
      <hr aria-hidden="true" />
      {guilds.value.map((one) => {
        const all = [...one.channels, ...one.threads];
        return (
          <GuildButton key={one.id} id={one.id} label={line(one.name)} active={place.value.guild === one.id} count={total(all)} fresh={all.some((c) => unread.value.has(c.id))}>
            <Uploaded folder="icons" id={one.id} hash={one.icon} size={48}><span aria-hidden="true">{initials(one.name)}</span></Uploaded>
          </GuildButton>
        );
      })}
      <button type="button" class="guild add" aria-label="Add a server" title="Add a server" onClick={() => (admin.value = 'guild')}><Icon name="plus" size={24} /></button>
    </nav>
  );
}

const total = (channels: Channel[]): number => channels.reduce((sum, one) => sum + (unread.value.get(one.id) ?? 0), 0);
const initials = (name: string): string => name.split(/\s+/).map((word) => [...word][0] ?? '').join('').slice(0, 3);

function GuildButton({ id, label, active, count, fresh, children }: { id: string | null; label: string; active: boolean; count: number; fresh: boolean; children: preact.ComponentChildren }) {
  return (
    <button type="button" class={`guild ${active ? 'active' : ''} ${fresh ? 'fresh' : ''}`} aria-label={count ? `${label}, ${count} mentions` : label} aria-current={active ? 'page' : undefined} title={label} onClick={() => openGuild(id)}>
      {children}
      {count > 0 && <span class="badge">{count}</span>}
    </button>
  );
}

export function ChannelBar() {
  const one = guild.value;
  return (
    <div class="channels">
      {one ? <GuildHead guild={one} /> : <header class="channels-head"><h2>Direct Messages</h2></header>}
      <div class="channels-list">{one ? <Channels guild={one} /> : <Directs />}</div>
      <VoicePanel />
      <Self />
    </div>
  );
}

function GuildHead({ guild: one }: { guild: Guild }) {
  const events = one.scheduled_events.length;
  return (
    <header class="channels-head">
      <h2>{line(one.name)}</h2>
      <IconButton name="calendar" label={events ? `Events: ${events}` : 'Events'} size={18} onClick={() => (dialog.value = { kind: 'events' })} />
      <IconButton name="invite" label="Invite people" size={18} onClick={() => (dialog.value = { kind: 'invites' })} />
      <IconButton name="gear" label="Server settings" size={18} onClick={() => (admin.value = 'channels')} />
    </header>
  );
}

const collapsed = signal<Set<string>>(new Set());

function Channels({ guild: one }: { guild: Guild }) {
  const sorted = [...one.channels].sort((a, b) => Number(isVoice(a)) - Number(isVoice(b)) || (a.position ?? 0) - (b.position ?? 0) || a.id.localeCompare(b.id));
  const categories = sorted.filter((c) => c.type === 4);
  const known = new Set(categories.map((c) => c.id));
  const loose = sorted.filter((c) => c.type !== 4 && !(c.parent_id && known.has(c.parent_id)));
  return (
    <nav aria-label="Channels">
      <ul>{loose.map((c) => <ChannelItem key={c.id} channel={c} guild={one} />)}</ul>
      {categories.map((category) => {
        const closed = collapsed.value.has(category.id);
        const inside = sorted.filter((c) => c.parent_id === category.id);
        const shown = closed ? inside.filter((c) => c.id === place.value.channel || unread.value.has(c.id)) : inside;
        return (
          <div key={category.id}>
            <button type="button" class="category" aria-expanded={!closed} onClick={() => toggle(category.id)}>
              <span class={closed ? 'turn' : ''}><Icon name="chevron" size={12} /></span> {line(category.name)}
            </button>
            <ul>{shown.map((c) => <ChannelItem key={c.id} channel={c} guild={one} />)}</ul>
          </div>
        );
      })}
    </nav>
  );
}

function toggle(id: string): void {
  const next = new Set(collapsed.value);
  if (!next.delete(id)) next.add(id);
  collapsed.value = next;
}

const isVoice = (channel: Channel): boolean => channel.type === 2 || channel.type === 13;

const ICONS: Record<number, IconName> = { 0: 'hash', 2: 'voice', 5: 'news', 10: 'thread', 11: 'thread', 12: 'thread', 13: 'stage', 15: 'forum', 16: 'forum' };

export const iconOf = (channel: Channel): IconName => ICONS[channel.type] ?? 'hash';

function ChannelItem({ channel, guild: one }: { channel: Channel; guild: Guild }) {
  const active = place.value.channel === channel.id;
  const fresh = unread.value.has(channel.id);
  const count = unread.value.get(channel.id) ?? 0;
  const inside = one.voice_states.filter((state) => state.channel_id === channel.id);
  const threads = one.threads.filter((thread) => thread.parent_id === channel.id && !thread.thread_metadata?.archived && (channel.type !== 15 && channel.type !== 16));
  const open = (): void => {
    openChannel(one.id, channel.id);
    navigation.value = false;
  };
  return (
    <li>
      <div class={`channel ${active ? 'active' : ''} ${fresh ? 'fresh' : ''}`}>
        <button type="button" class="channel-name" aria-current={active ? 'page' : undefined} onClick={open}>
          <Icon name={iconOf(channel)} /> <span>{line(channel.name)}</span>
        </button>
        {isVoice(channel) && <span class="muted small">{channel.user_limit ? `${inside.length}/${channel.user_limit}` : ''}</span>}
        {isVoice(channel) && <IconButton name={voiceHere.value?.channel_id === channel.id ? 'leave' : 'mic'} label={`${voiceHere.value?.channel_id === channel.id ? 'Leave' : 'Join'} ${line(channel.name)}`} size={16} onClick={() => void toggleVoice(one.id, channel)} />}
        {count > 0 && <span class="badge">{count}</span>}
      </div>
      {channel.status && <div class="channel-status">{line(channel.status)}</div>}
      {inside.length > 0 && <ul class="voice-users">{inside.map((state) => <VoiceUser key={state.user_id} state={state} guild={one} />)}</ul>}
      {threads.length > 0 && (
        <ul class="thread-list">
          {threads.map((thread) => (
            <li key={thread.id}>
              <div class={`channel ${place.value.channel === thread.id ? 'active' : ''} ${unread.value.has(thread.id) ? 'fresh' : ''}`}>
                <button type="button" class="channel-name" onClick={() => { openChannel(one.id, thread.id); navigation.value = false; }}><Icon name="thread" size={16} /> <span>{line(thread.name)}</span></button>
              </div>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function VoiceUser({ state, guild: one }: { state: VoiceState; guild: Guild }) {
  const user = userOf(state.user_id);
  if (!user) return null;
  const talks = speaking.value.has(state.user_id);
  return (
    <li>
      <button type="button" class={`voice-user ${talks ? 'speaking' : ''}`} onClick={(event) => openProfile(event, user)} onContextMenu={(event) => void openUserMenu(event, user)}>
        <Avatar id={user.id} name={nameOf(user, one)} size={24} />
        <span>{line(nameOf(user, one))}</span>
        {talks && <span class="visually-hidden">is speaking</span>}
        {state.request_to_speak_timestamp && <Icon name="hand" size={16} />}
        {state.suppress && <span class="muted small">audience</span>}
        {(state.self_mute || state.mute) && <Icon name="muted" size={16} />}
        {(state.self_deaf || state.deaf) && <Icon name="deaf" size={16} />}
      </button>
    </li>
  );
}

function Directs() {
  const others = users.value.filter((user) => user.id !== me.value?.id && !directs.value.some((one) => one.type === 1 && one.recipients?.[0]?.id === user.id));
  return (
    <nav aria-label="Direct messages">
      <ul>
        {directs.value.map((one) => {
          const other = one.recipients?.[0];
          const name = one.name || one.recipients?.map((user) => nameOf(user, null)).join(', ') || 'Group';
          const active = place.value.channel === one.id;
          return (
            <li key={one.id}>
              <div class={`channel direct ${active ? 'active' : ''} ${unread.value.has(one.id) ? 'fresh' : ''}`}>
                <button type="button" class="channel-name" aria-current={active ? 'page' : undefined} onClick={() => { openChannel(null, one.id); navigation.value = false; }}>
                  <Avatar id={other?.id ?? one.id} name={name} size={32} status={other && botStatus(other.id)} /> <span>{line(name)}</span>
                  {other?.bot && <span class="tag">APP</span>}
                </button>
                {unread.value.get(one.id) ? <span class="badge">{unread.value.get(one.id)}</span> : null}
              </div>
            </li>
          );
        })}
      </ul>
      {others.length > 0 && <div class="category">New conversation</div>}
      <ul>
        {others.map((user) => (
          <li key={user.id}>
            <div class="channel direct">
              <button type="button" class="channel-name" onClick={() => { void openDirect(user); navigation.value = false; }}>
                <Avatar id={user.id} name={nameOf(user, null)} size={32} status={botStatus(user.id)} /> <span>{line(nameOf(user, null))}</span>
                {user.bot && <span class="tag">APP</span>}
              </button>
            </div>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Self() {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const own = me.value!;
  useEffect(() => {
    if (!open) return;
    const key = (event: KeyboardEvent): void => { if (event.key === 'Escape') setOpen(false); };
    const click = (event: MouseEvent): void => { if (!box.current!.contains(event.target as Node)) setOpen(false); };
    document.addEventListener('keydown', key);
    document.addEventListener('mousedown', click);
    return () => {
      document.removeEventListener('keydown', key);
      document.removeEventListener('mousedown', click);
    };
  }, [open]);
  const people = users.value.filter((user) => !user.bot);
  const another = (user: { id: string; username: string }) =>
    attempt(async () => {
      const { ticket } = await api.post('page/tickets');
      window.open(`/app#ticket=${ticket}&as=${encodeURIComponent(user.username)}`, '_blank', 'noopener');
    });
  return (
    <div class="self" ref={box}>
      {open && (
        <div class="people" role="group" aria-label="Be somebody else">
          <div class="category">Who you are</div>
          {people.map((user) => (
            <div class="person" key={user.id}>
              <button type="button" class={`person-name ${user.id === own.id ? 'active' : ''}`} aria-pressed={user.id === own.id} onClick={() => { setOpen(false); become(user); }}>
                <Avatar id={user.id} name={nameOf(user, guild.value)} size={32} />
                <span class="item-text"><span>{line(user.global_name ?? user.username)}</span><small>{line(user.username)}</small></span>
              </button>
              <IconButton name="external" label={`${line(user.username)} in another tab`} size={16} onClick={() => void another(user)} />
            </div>
          ))}
          <button type="button" class="link-button" onClick={() => { setOpen(false); admin.value = 'people'; }}>Make a user…</button>
        </div>
      )}
      <button type="button" class="self-name" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Avatar id={own.id} name={nameOf(own, guild.value)} size={32} status="online" />
        <span class="item-text"><b>{line(nameOf(own, guild.value))}</b><small>{line(own.username)}<span class="visually-hidden">: be somebody else</span></small></span>
        <Icon name="chevron" size={16} />
      </button>
      <ThemeButton />
    </div>
  );
}

const THEMES = ['dark', 'light'] as const;

export function theme(): string {
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem('theme');
  } catch (error) {
    fail(error);
  }
  return chosen ?? (matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark');
}

export function applyTheme(name = theme()): void {
  document.documentElement.dataset.theme = name;
  themeNow.value = name;
}

function ThemeButton() {
  const [now, set] = useState(theme());
  const other = THEMES[now === 'dark' ? 1 : 0];
  return (
    <IconButton
      name="sun" label={`Use the ${other} theme`} size={18}
      onClick={() => {
        localStorage.setItem('theme', other);
        applyTheme(other);
        set(other);
      }}
    />
  );
}

