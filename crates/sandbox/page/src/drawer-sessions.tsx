// Sessions with their intents, rate limits, the clock, and faults to inject.

import { useEffect, useMemo, useState } from 'preact/hooks';
import * as api from './api';
import { attempt, bots, fail, log, toast, userOf } from './store';
import { line, plain } from './text';
import { meters } from './trace';

interface Session {
  id: string;
  bot: string;
  shard: [number, number];
  intents: unknown;
  seq: number;
  conn: number | null;
}

/** Reads something again whenever the log has grown with one of these kinds. */
function useFresh<T>(path: string, kinds: string[]): [T | null, () => void] {
  const [value, setValue] = useState<T | null>(null);
  const last = useMemo(() => log.value.findLast((entry) => kinds.includes(entry.kind))?.n, [log.value]);
  const read = (): void => void api.get(path).then(setValue, fail);
  useEffect(read, [last]);
  return [value, read];
}

const INTENTS: [number, string][] = [
  [0, 'GUILDS'], [1, 'GUILD_MEMBERS'], [2, 'GUILD_MODERATION'], [3, 'GUILD_EXPRESSIONS'], [4, 'GUILD_INTEGRATIONS'], [5, 'GUILD_WEBHOOKS'],
  [6, 'GUILD_INVITES'], [7, 'GUILD_VOICE_STATES'], [8, 'GUILD_PRESENCES'], [9, 'GUILD_MESSAGES'], [10, 'GUILD_MESSAGE_REACTIONS'],
  [11, 'GUILD_MESSAGE_TYPING'], [12, 'DIRECT_MESSAGES'], [13, 'DIRECT_MESSAGE_REACTIONS'], [14, 'DIRECT_MESSAGE_TYPING'], [15, 'MESSAGE_CONTENT'],
  [16, 'GUILD_SCHEDULED_EVENTS'], [20, 'AUTO_MODERATION_CONFIGURATION'], [21, 'AUTO_MODERATION_EXECUTION'], [24, 'GUILD_MESSAGE_POLLS'],
  [25, 'DIRECT_MESSAGE_POLLS'],
];

function intentNames(intents: unknown): string[] {
  if (Array.isArray(intents)) return intents.map(String);
  if (typeof intents === 'string') return intents.split(/\s*\|\s*/);
  const bits = Number(intents);
  return INTENTS.filter(([bit]) => (bits / 2 ** bit) % 2 >= 1).map(([, name]) => name);
}

export function Sessions() {
  const [sessions, read] = useFresh<Session[]>('sessions', ['identified', 'resumed', 'closed', 'session_ended', 'connected']);
  const command = (session: Session, command: unknown) => attempt(async () => {
    await api.post('sessions', { target: { session: session.id }, command });
    read();
  });
  return (
    <>
      <h2>Gateway sessions</h2>
      {sessions?.length === 0 && <p class="muted">No bot is connected. {bots.value.length > 0 && 'sandbox env prints what a bot needs.'}</p>}
      <ul class="admin-list">
        {sessions?.map((session) => (
          <li key={session.id} class="wrap">
            <span class="item-text">
              <b>{line(userOf(session.bot)?.username ?? session.bot)} <span class={session.conn === null ? 'bad-text' : 'good'}>{session.conn === null ? 'waits to be resumed' : `connection ${session.conn}`}</span></b>
              <small>shard {session.shard[0]} of {session.shard[1]}, seq {session.seq}, {session.id}</small>
            </span>
            <span class="row">
              <button type="button" class="link-button" onClick={() => void command(session, 'reconnect')}>Reconnect</button>
              <button type="button" class="link-button" onClick={() => void command(session, 'sever')}>Drop</button>
              <button type="button" class="link-button" onClick={() => void command(session, { invalid_session: { resumable: false } })}>Invalidate</button>
            </span>
            <span class="chips">{intentNames(session.intents).map((name) => <span class="chip" key={name}>{name}</span>)}</span>
          </li>
        ))}
      </ul>
      <Limits />
      <Clock />
    </>
  );
}

function Limits() {
  const all = useMemo(() => meters(log.value), [log.value]);
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <h2>Rate limits</h2>
      {all.length === 0 && <p class="muted">No request has been counted yet.</p>}
      <ul class="meters">
        {all.slice(0, 40).map((meter) => {
          const left = now >= meter.until ? meter.limit : meter.remaining;
          return (
            <li key={`${meter.bucket} ${meter.route}`}>
              <span class="small meter-route">{plain(meter.route)}</span>
              <meter min={0} max={meter.limit} low={meter.limit * 0.34} optimum={meter.limit} value={left} aria-label={`${meter.route}: ${left} of ${meter.limit} left`} />
              <span class="small">{left}/{meter.limit}{meter.limited > 0 && <b class="bad-text"> 429 × {meter.limited}</b>}</span>
            </li>
          );
        })}
      </ul>
    </>
  );
}

function Clock() {
  const [clock, setClock] = useState<{ now: string; ahead_ms: number } | null>(null);
  const read = (): void => void api.get('clock').then(setClock, fail);
  useEffect(() => {
    read();
    const timer = setInterval(read, 5000);
    return () => clearInterval(timer);
  }, []);
  const move = (by: number) => attempt(async () => setClock(await api.post('clock', { advance_ms: by })));
  return (
    <>
      <h2>Clock</h2>
      <p>{clock ? new Date(clock.now).toLocaleString() : '…'} {clock && clock.ahead_ms > 0 && <span class="muted small">{Math.round(clock.ahead_ms / 60_000)} minutes ahead</span>}</p>
      <div class="row">
        {([['+1 min', 60_000], ['+16 min', 960_000], ['+1 hour', 3_600_000], ['+1 day', 86_400_000]] as const).map(([label, by]) => (
          <button type="button" key={label} class="button secondary small" onClick={() => void move(by)}>{label}</button>
        ))}
      </div>
      <p class="muted small">The clock moves forward only. What is due by then happens.</p>
    </>
  );
}

/** Faults that are worth a button, by what they do. Any other one is written as its rule. */
const READY: [string, object][] = [
  ['Answers to interactions fail once with 503', { on: { request: { method: 'POST', path: '/interactions/*/*/callback', effect: { respond: { status: 503 } } } }, count: 1 }],
  ['The next message of a bot gets 500', { on: { request: { method: 'POST', path: '/channels/*/messages', effect: { respond: { status: 500 } } } }, count: 1 }],
  ['The next request gets 429', { on: { request: { effect: { rate_limit: { retry_after: 2 } } } }, count: 1 }],
  ['Every request takes 2 s longer, for 30 s', { on: { request: { effect: 'pass' } }, delay_ms: 2000, for_ms: 30_000 }],
  ['The next interaction is lost on its way', { on: { dispatch: { event: 'INTERACTION_CREATE', effect: 'ignore' } }, count: 1 }],
  ['The next event comes twice', { on: { dispatch: { effect: { duplicate: { extra: 1 } } } }, count: 1 }],
  ['The connection drops at the next event', { on: { dispatch: { effect: 'sever' } }, count: 1 }],
  ['5 % of voice packets are lost', { on: { voice_packet: { percent: 5 } } }],
];

interface Rule {
  id: number;
  [field: string]: unknown;
}

export function Faults() {
  const [rules, read] = useFresh<Rule[]>('faults', ['fault']);
  const [chosen, choose] = useState(0);
  const [text, setText] = useState(JSON.stringify(READY[0]![1], null, 2));
  const add = async (event: Event): Promise<void> => {
    event.preventDefault();
    await attempt(async () => {
      let rule: unknown;
      try {
        rule = JSON.parse(text);
      } catch (error) {
        throw new Error(`This is no JSON: ${(error as Error).message}`);
      }
      await api.post('faults', rule);
      toast.value = { text: 'The fault is in force.', bad: false };
      read();
    });
  };
  return (
    <>
      <form onSubmit={(event) => void add(event)}>
        <label class="label">Fault
          <select class="field" aria-label="Fault" value={chosen} onChange={(event) => { const at = Number(event.currentTarget.value); choose(at); setText(JSON.stringify(READY[at]![1], null, 2)); }}>
            {READY.map(([name], index) => <option key={name} value={index}>{name}</option>)}
          </select>
        </label>
        <label class="label">Rule<textarea class="field mono" rows={9} spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} /></label>
        <button class="button primary">Inject</button>
      </form>
      <h2>In force</h2>
      {rules?.length === 0 && <p class="muted">None.</p>}
      <ul class="admin-list">
        {rules?.map((rule) => (
          <li key={rule.id}>
            <code class="small grow">{plain(JSON.stringify({ ...rule, id: undefined }))}</code>
            <button type="button" class="link-button" onClick={() => void attempt(async () => { await api.del(`faults/${rule.id}`); read(); })}>Remove</button>
          </li>
        ))}
      </ul>
    </>
  );
}
