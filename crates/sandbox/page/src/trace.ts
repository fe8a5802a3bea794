// Interactions from the log: what was sent to the bot, what it answered, and when.

import type { Entry } from './types';

export interface Step {
  entry: Entry;
  label: string;
  /** Milliseconds from the interaction to the end of this step, and how long it took. */
  at: number;
  took: number;
  bad: boolean;
}

export interface Trace {
  id: string;
  title: string;
  user: string;
  bot: string;
  n: number;
  begun: number;
  entry: Entry;
  steps: Step[];
  /** Milliseconds until the first callback, and until the last step. */
  acknowledged: number | null;
  total: number;
}

const KINDS: Record<number, string> = { 2: '', 3: 'Component ', 4: 'Autocomplete ', 5: 'Modal ' };
const CALLBACKS: Record<number, string> = {
  4: 'answered with a message', 5: 'deferred', 6: 'deferred an update', 7: 'updated the message', 8: 'sent choices', 9: 'opened a modal',
  10: 'asked for premium', 12: 'launched an Activity',
};

function titleOf(data: any): string {
  const inner = data.data ?? {};
  let name = inner.name ?? inner.custom_id ?? '';
  let options = inner.options;
  while (options?.[0] && (options[0].type === 1 || options[0].type === 2)) {
    name += ` ${options[0].name}`;
    options = options[0].options;
  }
  const slash = (data.type === 2 && (inner.type ?? 1) === 1) || data.type === 4 ? '/' : '';
  return `${KINDS[data.type] ?? ''}${slash}${name}`;
}

function labelOf(entry: Entry): string {
  if (entry.route?.includes('/callback')) return CALLBACKS[entry.request?.type] ?? 'answered';
  const original = entry.path?.includes('@original');
  switch (entry.method) {
    case 'POST':
      return 'sent a followup';
    case 'PATCH':
      return original ? 'edited the answer' : 'edited a followup';
    case 'DELETE':
      return original ? 'deleted the answer' : 'deleted a followup';
    default:
      return 'read the answer';
  }
}

/** Returns the interactions of a log, newest first. */
export function traces(log: Entry[]): Trace[] {
  const byToken = new Map<string, Trace>();
  const byId = new Map<string, Trace>();
  for (const entry of log) {
    if (entry.event !== 'INTERACTION_CREATE') continue;
    // What goes to an endpoint is logged with its answer, so after what the bot has requested meanwhile.
    const data = entry.kind === 'dispatch' ? entry.data : entry.kind === 'delivery' ? entry.request : undefined;
    // The same one goes to every session of the bot.
    if (!data?.id || byId.has(data.id)) continue;
    const took = entry.kind === 'delivery' ? entry.us / 1000 : 0;
    const trace: Trace = {
      id: data.id, title: titleOf(data), user: data.member?.user?.username ?? data.user?.username ?? '', bot: data.application_id, n: entry.n,
      begun: entry.at_us - took * 1000, entry, steps: [], acknowledged: null, total: took,
    };
    if (entry.kind === 'delivery') {
      trace.steps.push({ entry, label: entry.failure ? 'failed' : CALLBACKS[entry.response?.type] ?? 'accepted', at: took, took, bad: !!entry.failure });
      if (!entry.failure && entry.response) trace.acknowledged = took;
    }
    byId.set(trace.id, trace);
    if (data.token) byToken.set(data.token, trace);
  }
  for (const entry of log) {
    if (entry.kind !== 'request') continue;
    const path: string = entry.path ?? '';
    const found = /\/(?:interactions\/(\d+)|webhooks\/\d+)\/(\[redacted [0-9a-f]+\])/.exec(decode(path));
    const trace = found && (byId.get(found[1] ?? '') ?? byToken.get(found[2]!));
    if (!trace) continue;
    const took = entry.us / 1000;
    const at = (entry.at_us - trace.begun) / 1000;
    trace.steps.push({ entry, label: labelOf(entry), at, took, bad: !entry.status || entry.status >= 400 });
    if (trace.acknowledged === null && entry.route?.includes('/callback') && entry.status < 300) trace.acknowledged = at;
    trace.total = Math.max(trace.total, at);
  }
  return [...byId.values()].reverse();
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Returns one line for an entry of the log. */
export function summary(entry: Entry): string {
  switch (entry.kind) {
    case 'request':
      return `${entry.method} ${entry.path} → ${entry.status ?? 'no answer'} in ${(entry.us / 1000).toFixed(1)} ms`;
    case 'dispatch':
      return `${entry.event} to connection ${entry.conn}, seq ${entry.seq}`;
    case 'delivery':
      return `${entry.event} to ${entry.url} → ${entry.failure ?? entry.status} in ${(entry.us / 1000).toFixed(1)} ms`;
    case 'sent':
      return `op ${entry.op} to connection ${entry.conn}`;
    case 'received':
      return `op ${entry.op} from connection ${entry.conn}`;
    case 'identified':
      return `session on connection ${entry.conn}, shard ${entry.shard?.join(' of ')}`;
    case 'closed':
      return `connection ${entry.conn} ${entry.code ?? ''} ${entry.reason}`;
    case 'fault':
      return `${entry.place}: ${JSON.stringify(entry.effect)}`;
    case 'note':
      return entry.text;
    case 'not_implemented':
      return `${entry.method} ${entry.path}`;
    case 'unread_field':
      return `${entry.field} in ${entry.method} ${entry.route}`;
    default:
      return Object.entries(entry).filter(([key, value]) => !['n', 'at_us', 'kind'].includes(key) && typeof value !== 'object').map(([key, value]) => `${key} ${value}`).join(', ');
  }
}

/** Returns the last state of each rate limit that an answer has named. */
export interface Meter {
  bucket: string;
  route: string;
  limit: number;
  remaining: number;
  until: number;
  limited: number;
}

export function meters(log: Entry[]): Meter[] {
  const all = new Map<string, Meter>();
  for (const entry of log) {
    if (entry.kind !== 'request' || !entry.rate_limit) continue;
    const { limit, remaining, reset_after_ms } = entry.rate_limit;
    const key = `${entry.bucket} ${entry.path.split('/').slice(0, 6).join('/')}`;
    const before = all.get(key);
    all.set(key, { bucket: entry.bucket, route: `${entry.method} ${entry.route}`, limit, remaining, until: entry.at_us / 1000 + reset_after_ms, limited: (before?.limited ?? 0) + (entry.limited ? 1 : 0) });
  }
  return [...all.values()].reverse();
}
