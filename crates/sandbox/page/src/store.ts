// What the page knows: the view of the user that it acts as, messages by channel, and what is open.

import { batch, computed, signal } from '@preact/signals';
import * as api from './api';
import { Stream } from './stream';
import { compareIds, idAfter } from './text';
import type { Bot, Channel, Entry, Guild, Id, Member, Message, Modal, Sound, User, View } from './types';

export const EPHEMERAL = 1 << 6;
export const LOADING = 1 << 7;
export const COMPONENTS_V2 = 1 << 15;

export const connection = signal<{ state: 'connecting' | 'open' | 'lost' | 'refused'; reason?: string }>({
  state: 'connecting',
});
export const me = signal<User | null>(null);
export const users = signal<User[]>([]);
export const bots = signal<Bot[]>([]);
export const guildNames = signal<{ id: Id; name: string }[]>([]);
export const guilds = signal<Guild[]>([]);
export const directs = signal<Channel[]>([]);
export const world = { url: '', version: '', sounds: [] as Sound[] };

/** What is open: a guild (null for direct messages) and a channel. */
export const place = signal<{ guild: Id | null; channel: Id | null }>({ guild: null, channel: null });
export const unread = signal<Map<Id, number>>(new Map());
export const modal = signal<{ modal: Modal; interaction: Id; application: Id | null } | null>(null);
export const replyTo = signal<Message | null>(null);
export const editing = signal<Id | null>(null);
export const toast = signal<{ text: string; bad: boolean } | null>(null);
/** `dark` or `light`. */
export const themeNow = signal('dark');
export const jump = signal<Id | null>(null);

export const guild = computed(() => guilds.value.find((one) => one.id === place.value.guild) ?? null);
export const channel = computed<Channel | null>(() => findChannel(place.value.channel));

export function findChannel(id: Id | null | undefined): Channel | null {
  if (!id) return null;
  for (const one of guilds.value) {
    const found = one.channels.find((c) => c.id === id) ?? one.threads.find((c) => c.id === id);
    if (found) return { ...found, guild_id: one.id };
  }
  return directs.value.find((c) => c.id === id) ?? null;
}

export function guildOf(channel: Channel | null): Guild | null {
  return guilds.value.find((one) => one.id === channel?.guild_id) ?? null;
}

const memberMaps = new WeakMap<Guild, Map<Id, Member>>();

export function memberOf(guild: Guild | null, user: Id): Member | undefined {
  if (!guild) return undefined;
  let map = memberMaps.get(guild);
  if (!map) memberMaps.set(guild, (map = new Map(guild.members.map((member) => [member.user.id, member]))));
  return map.get(user);
}

export function userOf(id: Id): User | undefined {
  return users.value.find((user) => user.id === id);
}

/** Returns the status of a bot, which follows its connection; nothing for a person. */
export function botStatus(id: Id): 'online' | 'offline' | undefined {
  const bot = bots.value.find((one) => one.id === id);
  return bot && (bot.online ? 'online' : 'offline');
}

export function nameOf(user: User, guild: Guild | null): string {
  return memberOf(guild, user.id)?.nick ?? user.global_name ?? user.username;
}

/** Returns the colour of a member's highest role that has one. */
export function colorOf(user: Id, guild: Guild | null): number {
  const roles = memberOf(guild, user)?.roles;
  if (!guild || !roles) return 0;
  let best: { position: number; color: number } | null = null;
  for (const role of guild.roles) {
    if (role.color && roles.includes(role.id) && (!best || role.position > best.position)) best = role;
  }
  return best?.color ?? 0;
}

// ---- messages -----------------------------------------------------------------

/** Messages of one channel that are loaded: all from the oldest one here to the newest there is. */
export interface History {
  messages: Message[];
  /** Whether the oldest one here is the channel's first. */
  complete: boolean;
  loading: boolean;
  error: string;
}

const PAGE = 50;
/** Most messages that are kept of a channel that nobody scrolls back in. */
const KEEP = 400;

const EMPTY: History = { messages: [], complete: false, loading: false, error: '' };
const histories = new Map<Id, History>();
/** Changes with the history of the open channel, for those who draw it. */
export const version = signal(0);
/** Whether the open channel is scrolled back, so that its old messages must stay. */
export const reading = { back: false };

export function history(id: Id): History {
  return histories.get(id) ?? EMPTY;
}

function setHistory(id: Id, history: History): void {
  histories.set(id, history);
  if (id === place.value.channel) version.value += 1;
}

/** Returns where an id is in a list of messages, or would be. */
export function indexOf(list: Message[], id: Id): number {
  // New messages come last, nearly always.
  if (!list.length || compareIds(list.at(-1)!.id, id) < 0) return list.length;
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareIds(list[middle]!.id, id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Puts messages into a copy of a list. */
function insert(list: Message[], messages: Message[]): Message[] {
  const next = list.slice();
  for (const message of messages) {
    const at = indexOf(next, message.id);
    next.splice(at, next[at]?.id === message.id ? 1 : 0, message);
  }
  return next;
}

export async function load(id: Id): Promise<void> {
  const before = history(id);
  if (before.loading || histories.has(id)) return;
  await fetchPage(id, undefined);
}

export async function loadOlder(id: Id): Promise<void> {
  const now = history(id);
  if (now.loading || now.complete || !histories.has(id)) return;
  await fetchPage(id, now.messages.find((message) => !message.local)?.id);
}

async function fetchPage(id: Id, before: Id | undefined): Promise<void> {
  const user = me.value!.id;
  setHistory(id, { ...history(id), loading: true, error: '' });
  try {
    const page: Message[] = await api.get('messages', { as: user, channel: id, limit: String(PAGE), before });
    if (me.value?.id !== user) return;
    const messages = insert(history(id).messages, page);
    setHistory(id, { messages, complete: page.length < PAGE, loading: false, error: '' });
  } catch (error) {
    setHistory(id, { ...history(id), loading: false, error: (error as Error).message });
  }
}

function trim(id: Id, now: History): History {
  if (now.messages.length <= KEEP * 1.5 || (id === place.value.channel && reading.back)) return now;
  return { ...now, messages: now.messages.slice(-KEEP), complete: false };
}

/** Adds a message that only this page knows, at the end of a channel. */
export function addLocal(channel: Id, message: Partial<Message> & Pick<Message, 'author' | 'local'>): Id {
  const last = history(channel).messages.at(-1)?.id ?? '0';
  const now = ((BigInt(Date.now()) - 1420070400000n) << 22n).toString();
  const id = compareIds(last, now) >= 0 ? idAfter(last) : now;
  const local: Message = {
    id, channel_id: channel, type: 20, content: '', timestamp: new Date().toISOString(), edited_timestamp: null,
    mention_everyone: false, mentions: [], mention_roles: [], attachments: [], embeds: [], components: [], pinned: false,
    flags: EPHEMERAL, ...message,
  };
  setHistory(channel, { ...history(channel), messages: insert(history(channel).messages, [local]) });
  return id;
}

/** Removes a message from this page alone: a local one, or an ephemeral one that is dismissed. */
export function dismiss(channel: Id, id: Id): void {
  const now = history(channel);
  setHistory(channel, { ...now, messages: now.messages.filter((message) => message.id !== id) });
}

// ---- typing ---------------------------------------------------------------------

export const typing = signal<{ channel: Id; user: Id; until: number }[]>([]);
const TYPING = 10_000;

function typed(channel: Id, user: Id): void {
  const now = Date.now();
  const others = typing.value.filter((one) => one.until > now && !(one.channel === channel && one.user === user));
  typing.value = [...others, { channel, user, until: now + TYPING }];
  setTimeout(() => (typing.value = typing.value.filter((one) => one.until > Date.now())), TYPING + 50);
}

// ---- the stream -----------------------------------------------------------------

export const log = signal<Entry[]>([]);
export const logMissed = signal(0);
const LOG_KEEP = 5000;

export let stream: Stream;
let heard: (frame: ArrayBuffer) => void = () => {};

export function onSound(handler: (frame: ArrayBuffer) => void): void {
  heard = handler;
}

/** Somebody plays a sound of the soundboard where the user is. */
let played: (sound: Id, user: Id) => void = () => {};

export function onSoundboard(handler: (sound: Id, user: Id) => void): void {
  played = handler;
}

/** Lines of the bot's control socket, if there is one. */
export const botLines = signal<any[]>([]);
const LINES_KEEP = 500;

export function open(user: string): void {
  stream = new Stream(user, {
    sound: (frame) => heard(frame),
    state: (state, reason) => (connection.value = { state, reason }),
    message: (message) => batch(() => receive(message)),
  });
}

function receive(message: any): void {
  switch (message.type) {
    case 'view':
      return apply(message.view);
    case 'changes':
      return applyChanges(message.changes);
    case 'log':
      log.value = [...log.value, ...message.entries].slice(-LOG_KEEP);
      logMissed.value += message.missed;
      return;
    case 'bot':
      // Null: a new connection to the bot, which begins with its last events.
      botLines.value = message.event === null ? [] : [...botLines.value, message.event].slice(-LINES_KEEP);
      return;
    case 'refused':
      toast.value = { text: message.error, bad: true };
  }
}

function setWorld(view: Omit<View, 'user' | 'guilds' | 'url' | 'version' | 'default_sounds'>): void {
  users.value = view.users;
  bots.value = view.bots;
  directs.value = view.direct_messages;
  guildNames.value = view.names;
}

function apply(view: View): void {
  me.value = view.user;
  world.url = view.url;
  world.version = view.version;
  world.sounds = view.default_sounds;
  setWorld(view);
  guilds.value = view.guilds;
  // Nothing is known of what happened before this view.
  histories.clear();
  version.value += 1;
  const current = place.value;
  const known = findChannel(current.channel);
  if (!known || (current.guild && !guilds.value.some((one) => one.id === current.guild))) {
    openFirst();
  } else void load(known.id);
}

/** Whether more is written than anybody reads. Then only what is seen is drawn. */
export const flooded = signal(false);
/** Changes that come together only in a flood: the sandbox sends them the rarer the more there are. */
const FLOOD = 20;
const CALM = 1000;
let calm: ReturnType<typeof setTimeout> | undefined;

function noteFlood(changes: number): void {
  if (changes < FLOOD) return;
  flooded.value = true;
  clearTimeout(calm);
  calm = setTimeout(() => (flooded.value = false), CALM);
}

/** Applies changes that came together, so that each channel's list is copied once. */
function applyChanges(changes: any[]): void {
  noteFlood(changes.length);
  const lists = new Map<Id, Message[]>();
  const listOf = (id: Id): Message[] | undefined => {
    const list = lists.get(id) ?? histories.get(id)?.messages.slice();
    if (list) lists.set(id, list);
    return list;
  };
  for (const change of changes) changed(change, listOf);
  for (const [id, messages] of lists) {
    const now = histories.get(id);
    if (now) setHistory(id, trim(id, { ...now, messages }));
  }
}

function changed(change: any, listOf: (id: Id) => Message[] | undefined): void {
  switch (change.change) {
    case 'message': {
      const message: Message = change.message;
      const id = message.channel_id;
      const known = directs.value.find((one) => one.id === id);
      if (!known && !findChannel(id)) void learn(message);
      else if (known && known !== directs.value[0]) directs.value = [known, ...directs.value.filter((one) => one !== known)];
      const list = listOf(id);
      const at = list ? indexOf(list, message.id) : 0;
      const isNew = list?.[at]?.id !== message.id;
      if (list) {
        const oldest = list.find((one) => !one.local);
        // An older one than those that are loaded comes with its page.
        if (!oldest || histories.get(id)!.complete || compareIds(message.id, oldest.id) >= 0) list.splice(at, isNew ? 0 : 1, message);
      }
      if (typing.value.length) typing.value = typing.value.filter((one) => !(one.channel === id && one.user === message.author.id));
      if (isNew && findChannel(id) && message.author.id !== me.value?.id && (id !== place.value.channel || document.hidden)) noteUnread(message);
      return;
    }
    case 'gone': {
      const list = listOf(change.channel);
      const at = list ? indexOf(list, change.id) : 0;
      if (list?.[at]?.id === change.id) list!.splice(at, 1);
      return;
    }
    case 'typing':
      return typed(change.channel, change.user);
    case 'sound':
      return played(change.sound, change.user);
    case 'guild': {
      const others = guilds.value.some((one) => one.id === change.guild.id);
      guilds.value = others
        ? guilds.value.map((one) => (one.id === change.guild.id ? change.guild : one))
        : [...guilds.value, change.guild];
      if (place.value.channel && !findChannel(place.value.channel)) openFirst();
      return;
    }
    case 'guild_gone':
      guilds.value = guilds.value.filter((one) => one.id !== change.id);
      if (place.value.guild === change.id) openFirst();
      return;
    case 'world':
      return setWorld(change);
  }
}

/** Reads what is known anew after a message in a channel that is not: direct messages that have just been opened. */
async function learn(message: Message): Promise<void> {
  const user = me.value!.id;
  const view: View | undefined = await attempt(() => api.get('view', { as: user }));
  if (!view || me.value?.id !== user) return;
  batch(() => {
    setWorld(view);
    if (findChannel(message.channel_id) && message.author.id !== user) noteUnread(message);
  });
}

function noteUnread(message: Message): void {
  // An old message that somebody reacts to is not news.
  const last = findChannel(message.channel_id)?.last_message_id;
  if (last && compareIds(message.id, last) < 0) return;
  const own = me.value!;
  const isDirect = directs.value.some((one) => one.id === message.channel_id);
  const mentions = isDirect || message.mention_everyone || message.mentions.some((user) => user.id === own.id);
  if (!mentions && unread.value.has(message.channel_id)) return;
  const next = new Map(unread.value);
  next.set(message.channel_id, (next.get(message.channel_id) ?? 0) + (mentions ? 1 : 0));
  unread.value = next;
}

// ---- going places ------------------------------------------------------------------

const lastIn = new Map<Id, Id>();

export function openChannel(guild: Id | null, id: Id): void {
  batch(() => {
    if (place.value.channel !== id) {
      replyTo.value = null;
      editing.value = null;
    }
    place.value = { guild, channel: id };
    if (guild) lastIn.set(guild, id);
    if (unread.value.has(id)) {
      const next = new Map(unread.value);
      next.delete(id);
      unread.value = next;
    }
  });
  const found = findChannel(id);
  if (found && ![4, 15, 16].includes(found.type)) void load(id);
}

export function openGuild(id: Id | null): void {
  if (id === null) {
    const first = directs.value[0];
    if (first) openChannel(null, first.id);
    else place.value = { guild: null, channel: null };
    return;
  }
  const one = guilds.value.find((guild) => guild.id === id);
  const last = lastIn.get(id);
  const wanted = one?.channels.find((c) => c.id === last) ?? firstText(one);
  if (wanted) openChannel(id, wanted.id);
  else place.value = { guild: id, channel: null };
}

function firstText(guild: Guild | undefined): Channel | undefined {
  const texts = guild?.channels.filter((c) => c.type === 0 || c.type === 5) ?? [];
  return texts.find((c) => c.name === 'bot-test') ?? texts[0];
}

function openFirst(): void {
  const first = guilds.value.find((one) => one.id === place.value.guild) ?? guilds.value[0];
  if (first) openGuild(first.id);
  else openGuild(null);
}

/** Opens a channel wherever it is. */
export function goTo(id: Id): void {
  const found = findChannel(id);
  if (found) openChannel(found.guild_id ?? null, id);
}

export function become(user: User): void {
  if (user.id === me.value?.id) return;
  batch(() => {
    unread.value = new Map();
    replyTo.value = null;
    editing.value = null;
    modal.value = null;
  });
  stream.become(user.id);
}

export function fail(error: unknown): void {
  toast.value = { text: error instanceof Error ? error.message : String(error), bad: true };
}

/** Runs something that the sandbox may refuse, and shows why. */
export async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    fail(error);
    return undefined;
  }
}
