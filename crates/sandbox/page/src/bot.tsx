// Hot reload, through the bot's control socket: what is live, what the compiler says, and what can be done.

import { computed, signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import * as api from './api';
import { attempt, botLines, stream, toast } from './store';
import { counted, line, plain } from './text';

/** Whether the sandbox knows the control socket of a bot, and whether a bot is there. */
export const bot = signal<{ configured: boolean; reachable: boolean }>({ configured: false, reachable: false });
export const hasBot = computed(() => bot.value.configured);

interface Row {
  generation: number;
  code_of: number;
  stage: string;
  live_at: number | null;
  retired_at: number | null;
  error: string | null;
}

interface Ledger {
  plugin: string;
  rows: Row[];
}

interface Status {
  host: { version: string; uptime_ms: number; memory_bytes: number | null };
  reload: { on: boolean; watching: boolean; building: string[][]; held: string[][]; awaiting_restart: string[] };
  live: { plugin: string; generation: number; version: string; age_ms: number; calls: number; commands: number; listeners: number; tasks: string[] }[];
  failures: { plugin: string | null; at: number; reason: string; place: string | null }[];
}

export const status = signal<Status | null>(null);
export const ledgers = signal<Ledger[]>([]);

async function ask(request: object): Promise<any> {
  const reply = await api.post('bot-control', request);
  if (reply.error) throw new Error(reply.error);
  return reply.ok;
}

async function refresh(): Promise<void> {
  try {
    [status.value, ledgers.value] = await Promise.all([ask({ do: 'status' }), ask({ do: 'generations' })]);
    bot.value = { configured: true, reachable: true };
  } catch {
    bot.value = { configured: true, reachable: false };
  }
}

/** Follows the bot, if there is one. */
export async function watchBot(): Promise<void> {
  const found = await attempt(() => api.get('bot-control'));
  if (!found) return;
  bot.value = found;
  if (!found.configured) return;
  stream.bot(200);
  let known = botLines.value;
  botLines.subscribe((lines) => {
    // Every event may have changed what is live.
    if (lines !== known) void refresh();
    known = lines;
  });
  await refresh();
}

function act(request: object, said: (ok: any) => string) {
  return () => attempt(async () => {
    const ok = await ask(request);
    toast.value = { text: said(ok), bad: Boolean(ok?.failed?.length) };
    await refresh();
  });
}

const sentence = (ok: any): string => (typeof ok === 'string' ? ok : ok?.failed?.length ? ok.failed.join(' ') : `Reloaded ${ok?.reloaded?.map((one: any) => one.plugin).join(', ') || 'nothing'}.`);

export function BotPanel() {
  const now = status.value;
  if (!bot.value.reachable || !now) return <p class="muted">No bot with hot reload answers. It is started by <code class="inline">./dev-env.sh hmr</code>; this panel fills by itself when it is there.</p>;
  // The first load of a plugin is no reload.
  const reloads = botLines.value.filter((event) => (event.event === 'reload-completed' && event.from !== null) || event.event === 'reload-failed');
  return (
    <>
      <div class="row">
        <button type="button" class="button primary small" onClick={act({ do: 'reload' }, sentence)}>Reload all</button>
        <button type="button" class="button secondary small" aria-pressed={now.reload.watching} onClick={act({ do: 'watch', on: !now.reload.watching }, sentence)}>{now.reload.watching ? 'Stop watching' : 'Watch files'}</button>
        <button type="button" class="button danger small" onClick={act({ do: 'restart', now: false }, sentence)}>Restart</button>
        <span class="muted small">{now.reload.watching ? 'Saves are built' : 'Saves are not built'}{now.reload.building.length > 0 && `, building ${now.reload.building.flat().join(', ')}`}</span>
      </div>
      {now.reload.awaiting_restart.length > 0 && <p class="small">A restart brings in: {now.reload.awaiting_restart.map(line).join(', ')}</p>}
      <Failures events={botLines.value} />
      <h2>Reload times</h2>
      <Chart events={reloads} />
      <h2>Plugins</h2>
      <ul class="admin-list">{now.live.map((one) => <Plugin key={one.plugin} live={one} ledger={ledgers.value.find((ledger) => ledger.plugin === one.plugin)} held={now.reload.held.flat().includes(one.plugin)} />)}</ul>
      <h2>Events</h2>
      <ul class="log">
        {[...botLines.value].reverse().slice(0, 60).map((event, index) => <li class="small" key={index}><span class="muted">{new Date(event.at).toISOString().slice(11, 19)}</span> {line(words(event))}</li>)}
      </ul>
    </>
  );
}

function words(event: any): string {
  switch (event.event) {
    case 'reload-started':
      return `building ${event.plugins.join(', ')} (${event.cause})`;
    case 'reload-completed':
      return `${event.plugin}: generation ${event.from ?? '–'} → ${event.to ?? 'removed'} in ${event.ms} ms ${event.changes.join(' ')}`;
    case 'reload-unchanged':
      return `${event.plugin}: no code has changed (${event.ms} ms)`;
    case 'reload-failed':
      return `${event.plugin ?? 'The bot'}: ${event.reason}`;
    case 'rolled-back':
      return `${event.plugin}: back to the code of generation ${event.code_of}, ${event.reason}`;
    case 'restart-required':
      return `a restart is needed for ${event.because.join(', ')}`;
    case 'note':
      return event.message;
    default:
      return `${event.event} ${event.plugin ?? ''}`;
  }
}

function Plugin({ live, ledger, held }: { live: Status['live'][number]; ledger: Ledger | undefined; held: boolean }) {
  const [open, setOpen] = useState(false);
  const row = ledger?.rows.find((one) => one.generation === live.generation);
  return (
    <li class="wrap">
      <span class="item-text">
        <b>{line(live.plugin)} <span class="generation">g{live.generation}</span> {row?.stage === 'probation' && <span class="warn small">on probation</span>} {held && <span class="bad-text small">held back</span>}</b>
        <small>{counted(live.commands, 'command')}, {counted(live.listeners, 'listener')}, {counted(live.calls, 'call')} under way</small>
      </span>
      <span class="row">
        <button type="button" class="link-button" onClick={act({ do: 'reload', plugin: live.plugin }, sentence)}>Reload</button>
        <button type="button" class="link-button" aria-expanded={open} onClick={() => setOpen(!open)}>Generations</button>
      </span>
      {open && (
        <ul class="generations">
          {ledger?.rows.map((one) => (
            <li class="small" key={one.generation}>
              <span><b>g{one.generation}</b> {one.stage}{one.code_of !== one.generation && `, code of g${one.code_of}`}{one.live_at && `, live since ${new Date(one.live_at).toLocaleTimeString()}`}{one.error && <span class="bad-text"> {line(one.error)}</span>}</span>
              {one.generation !== live.generation && one.live_at !== null && <button type="button" class="link-button" onClick={act({ do: 'rollback', plugin: live.plugin, generation: one.generation }, sentence)}>Roll back to it</button>}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

/** What the compiler says of the newest save of each plugin that is not live. */
function Failures({ events }: { events: any[] }) {
  const last = new Map<string, any>();
  for (const event of events) {
    if (!event.event.startsWith('reload-') || event.event === 'reload-started') continue;
    const name = event.plugin ?? '';
    if (event.event === 'reload-failed') last.set(name, event);
    else last.delete(name);
  }
  return (
    <>
      {[...last.values()].map((failure) => (
        <section class="failure" key={`${failure.plugin} ${failure.at}`} role="alert">
          <b class="bad-text">{line(failure.plugin ?? 'The bot')}: {line(failure.reason)}</b>
          {failure.live && <small>Generation {failure.live} stays live.</small>}
          {failure.diagnostics.map((one: any, index: number) => (
            <div key={index}>
              <div class="small"><b class={one.level === 'error' ? 'bad-text' : ''}>{one.level}{one.code && `[${one.code}]`}</b> {line(one.message)} {one.file && <code class="inline">{line(one.file)}:{one.line}{one.column ? `:${one.column}` : ''}</code>}</div>
              {one.rendered && <pre class="code-block" tabIndex={0}><code>{plain(one.rendered)}</code></pre>}
            </div>
          ))}
        </section>
      ))}
    </>
  );
}

function Chart({ events }: { events: any[] }) {
  const shown = events.slice(-40);
  const tallest = Math.max(1, ...shown.map((event) => event.ms ?? 0));
  if (!shown.length) return <p class="muted">None yet. Save a file under commands/ or events/.</p>;
  const times = shown.filter((event) => event.ms !== undefined).map((event) => event.ms);
  const middle = [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];
  return (
    <>
      <div class="chart" role="img" aria-label={`${shown.length} reloads, half of them within ${middle ?? 0} ms`}>
        {shown.map((event, index) => <span key={index} class={event.event === 'reload-failed' ? 'bad' : ''} style={{ height: `${event.ms === undefined ? 100 : Math.max(4, (event.ms / tallest) * 100)}%` }} title={words(event)} />)}
      </div>
      {middle !== undefined && <p class="muted small">Median {middle} ms, at most {tallest} ms</p>}
    </>
  );
}

export function useBot(): void {
  useEffect(() => void watchBot(), []);
}
