// The messages of a channel. Of those that are loaded, a window around what is seen is in the document.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './icons';
import { MessageRow } from './message';
import { EPHEMERAL, flooded, guildOf, history, indexOf, jump, load, loadOlder, nameOf, reading, typing, userOf, version } from './store';
import { dayText, line, sameDay } from './text';
import type { Channel, Guild, Message } from './types';

/** Rows in the document: at the end, and at most while scrolling. */
const TAIL = 60;
const MOST = 140;
/** Height of the lowest row in pixels, and rows above those that are seen at least. */
const ROW = 22;
const SPARE = 8;
const STEP = 40;
/** Pixels from an end at which more rows are added. */
const NEAR = 700;
/** Pixels from the end at which a way back is offered. */
const FAR = 1200;
/** Messages of one author within this time share a head. */
const TOGETHER = 7 * 60 * 1000;

const GROUPED = new Set([0, 20, 23]);

/** Returns whether a message belongs under the head of the one before. */
export function follows(before: Message | undefined, message: Message): boolean {
  if (!before || message.type === 19 || !GROUPED.has(message.type) || ![...GROUPED, 19].includes(before.type)) return false;
  if (message.interaction_metadata || message.local) return false;
  return (
    before.author.id === message.author.id && before.author.username === message.author.username &&
    (before.flags & EPHEMERAL) === (message.flags & EPHEMERAL) &&
    Date.parse(message.timestamp) - Date.parse(before.timestamp) < TOGETHER
  );
}

/** The window, by ids: messages before and after it come and go. `null` at the end: whatever is newest. */
interface Range {
  first: string | null;
  last: string | null;
}

export function MessageList({ channel }: { channel: Channel }) {
  void version.value;
  const all = history(channel.id);
  const { messages } = all;
  const guild = guildOf(channel);
  const [range, setRange] = useState<Range>({ first: null, last: null });
  const [far, setFar] = useState(false);
  const scroller = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  const reached = useRef<string | null>(null);
  const anchor = useRef<{ id: string; top: number } | null>(null);

  const end = range.last === null ? messages.length : Math.min(messages.length, indexOf(messages, range.last) + 1);
  const fill = Math.ceil((scroller.current?.clientHeight ?? 0) / ROW) + SPARE;
  const tail = flooded.value && stuck.current && scroller.current ? fill : Math.max(TAIL, fill);
  const start = range.first === null ? Math.max(0, end - tail) : Math.min(indexOf(messages, range.first), Math.max(0, end - 1));
  const shown = messages.slice(start, end);
  const atEnd = end === messages.length;

  // Remembers what is at the top of the view, so that it stays there while rows come and go above it.
  const remember = (): void => {
    const box = scroller.current!;
    const top = box.getBoundingClientRect().top;
    for (const row of box.querySelectorAll<HTMLElement>('li[data-id]')) {
      const rect = row.getBoundingClientRect();
      if (rect.bottom > top) {
        anchor.current = { id: row.dataset.id!, top: rect.top - top };
        return;
      }
    }
    anchor.current = null;
  };

  const onScroll = (): void => {
    const box = scroller.current;
    if (!box) return;
    const below = box.scrollHeight - box.scrollTop - box.clientHeight;
    stuck.current = atEnd && below < 60;
    reading.back = !stuck.current;
    setFar(below > FAR);
    if (stuck.current && range.first !== null) {
      setRange({ first: null, last: null });
      return;
    }
    // At the end there is nothing to keep in its place, and enough to fill the view.
    if (stuck.current && start > 0) return;
    remember();
    if (box.scrollTop < NEAR) {
      if (start > 0) {
        const first = Math.max(0, start - STEP);
        const last = Math.min(end, first + MOST);
        setRange({ first: messages[first]!.id, last: last === messages.length ? null : messages[last - 1]!.id });
      } else if (!all.complete && !all.loading) {
        if (messages[0]) setRange({ first: messages[0].id, last: atEnd ? null : range.last });
        void loadOlder(channel.id);
      }
    } else if (below < NEAR && !atEnd) {
      const last = Math.min(messages.length, end + STEP);
      const first = Math.max(start, last - MOST);
      setRange({ first: messages[first]!.id, last: last === messages.length ? null : messages[last - 1]!.id });
    }
  };

  const settle = (): void => {
    const box = scroller.current;
    if (!box) return;
    if (stuck.current) {
      box.scrollTop = box.scrollHeight;
      return;
    }
    const kept = anchor.current;
    const row = kept && box.querySelector<HTMLElement>(`li[data-id="${kept.id}"]`);
    if (row) box.scrollTop += row.getBoundingClientRect().top - box.getBoundingClientRect().top - kept.top;
  };

  useLayoutEffect(settle, [shown[0]?.id, shown.at(-1)?.id, shown.length, version.value]);

  // Older messages have come while the view was at the first one.
  useEffect(() => {
    if (!stuck.current && start > 0 && (scroller.current?.scrollTop ?? NEAR) < NEAR) onScroll();
  }, [messages[0]?.id]);

  useEffect(() => {
    stuck.current = true;
    reading.back = false;
    setRange({ first: null, last: null });
    void load(channel.id);
    // Pictures and menus change the height of rows.
    const inner = scroller.current!.firstElementChild!;
    const observer = new ResizeObserver(settle);
    observer.observe(inner);
    observer.observe(scroller.current!);
    return () => observer.disconnect();
  }, [channel.id]);

  // Going to one message.
  const wanted = jump.value;
  useLayoutEffect(() => {
    if (!wanted || reached.current === wanted) {
      reached.current = wanted;
      return;
    }
    const at = indexOf(messages, wanted);
    if (messages[at]?.id !== wanted) {
      if (!all.complete && !all.loading && messages.length) void loadOlder(channel.id);
      return;
    }
    const inWindow = at >= start && at < end;
    if (!inWindow) {
      stuck.current = false;
      reading.back = true;
      const first = Math.max(0, at - STEP);
      const last = Math.min(messages.length, first + MOST);
      setRange({ first: messages[first]!.id, last: last === messages.length ? null : messages[last - 1]!.id });
      return;
    }
    reached.current = wanted;
    stuck.current = false;
    document.getElementById(`message-${wanted}`)?.scrollIntoView({ block: 'center' });
    remember();
    setTimeout(() => { if (jump.value === wanted) jump.value = null; }, 1500);
  }, [wanted, start, end, messages.length]);

  const toEnd = (): void => {
    jump.value = null;
    stuck.current = true;
    reading.back = false;
    setRange({ first: null, last: null });
    setFar(false);
    requestAnimationFrame(settle);
  };

  return (
    <div class="list-wrap">
      <div class="list" ref={scroller} onScroll={onScroll} tabIndex={0} role="log" aria-live="polite" aria-relevant="additions" aria-label="Messages">
        <ol class="messages">
          {start === 0 && all.complete && <Beginning channel={channel} guild={guild} />}
          {all.loading && <li class="loading" role="status">Loading messages…</li>}
          {all.error && <li class="loading" role="alert">{line(all.error)}</li>}
          {rows(shown, messages[start - 1], channel, guild)}
        </ol>
      </div>
      {!atEnd || far ? (
        <button type="button" class="to-end" onClick={toEnd}>You’re viewing older messages <b>Jump to present</b></button>
      ) : null}
      <Typing channel={channel} guild={guild} />
    </div>
  );
}

function rows(shown: Message[], before: Message | undefined, channel: Channel, guild: Guild | null) {
  const out = [];
  let last = before;
  for (const message of shown) {
    const time = new Date(message.timestamp);
    if (!last || !sameDay(new Date(last.timestamp), time)) {
      out.push(<li class="day" key={`day-${message.id}`}><span>{dayText(time)}</span></li>);
      last = undefined;
    }
    out.push(<MessageRow key={message.id} message={message} grouped={follows(last, message)} channel={channel} guild={guild} />);
    last = message;
  }
  return out;
}

export function Beginning({ channel, guild }: { channel: Channel; guild: Guild | null }) {
  const direct = !channel.guild_id;
  const name = direct ? channel.recipients?.map((user) => line(nameOf(user, guild))).join(', ') ?? '' : line(channel.name);
  return (
    <li class="beginning">
      <span class="beginning-icon"><Icon name={direct ? 'at' : channel.thread_metadata ? 'thread' : 'hash'} size={36} /></span>
      <h2>{direct ? name : channel.thread_metadata ? name : `Welcome to #${name}!`}</h2>
      <p>{direct ? `This is the beginning of your direct messages with ${name}.` : channel.thread_metadata ? 'This is the beginning of the thread.' : `This is the start of the #${name} channel.`}</p>
    </li>
  );
}

function Typing({ channel, guild }: { channel: Channel; guild: Guild | null }) {
  const names = typing.value.filter((one) => one.channel === channel.id).map((one) => userOf(one.user)).filter((user) => user !== undefined).map((user) => line(nameOf(user, guild)));
  return (
    <div class="typing" role="status">
      {names.length > 0 && <><span class="dots"><i /><i /><i /></span> <b>{names.length > 3 ? 'Several people' : names.join(', ')}</b> {names.length === 1 ? 'is' : 'are'} typing…</>}
    </div>
  );
}
