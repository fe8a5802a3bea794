// The developer's drawer.

import { useEffect, useMemo, useState } from 'preact/hooks';
import { BotPanel, hasBot } from './bot';
import { drawer, type Tab } from './drawer-state';
import { Faults, Sessions } from './drawer-sessions';
import { Icon, IconButton } from './icons';
import { Snapshots } from './snapshots';
import { bots, log, logMissed, stream, userOf } from './store';
import { line, plain } from './text';
import { summary, traces, type Step, type Trace } from './trace';
import type { Entry } from './types';

const TABS: [Tab, string][] = [['interactions', 'Interactions'], ['log', 'Log'], ['sessions', 'Sessions'], ['faults', 'Faults'], ['snapshots', 'Snapshots'], ['bot', 'Hot reload']];

export function Drawer() {
  const tab = drawer.value!;
  useEffect(() => {
    // The log is read only while somebody looks.
    stream.log(log.value.length ? log.value.at(-1)!.n + 1 : 1);
    return () => stream.log(null);
  }, []);
  return (
    <aside class="drawer" aria-label="Developer drawer">
      <div class="drawer-head">
        <div class="tabs" role="tablist" aria-label="Developer drawer">
          {TABS.filter(([id]) => id !== 'bot' || hasBot.value).map(([id, name]) => (
            <button type="button" key={id} role="tab" id={`drawer-tab-${id}`} aria-controls="drawer-panel" aria-selected={tab === id} onClick={() => (drawer.value = id)}>{name}</button>
          ))}
        </div>
        <IconButton name="close" label="Close the drawer" onClick={() => (drawer.value = null)} />
      </div>
      <div class="drawer-body" role="tabpanel" id="drawer-panel" aria-labelledby={`drawer-tab-${tab}`} tabIndex={0}>
        {tab === 'interactions' && <Interactions />}
        {tab === 'log' && <Log />}
        {tab === 'sessions' && <Sessions />}
        {tab === 'faults' && <Faults />}
        {tab === 'snapshots' && <Snapshots />}
        {tab === 'bot' && <BotPanel />}
      </div>
    </aside>
  );
}

const botName = (id: string): string => line(userOf(id)?.username ?? bots.value.find((bot) => bot.id === id)?.name ?? id);

function Interactions() {
  const [filter, setFilter] = useState('');
  const all = useMemo(() => traces(log.value), [log.value]);
  const wanted = filter.toLowerCase();
  const shown = all.filter((trace) => `${trace.title} ${trace.user} ${botName(trace.bot)} ${trace.id}`.toLowerCase().includes(wanted)).slice(0, 200);
  return (
    <>
      <input class="field" type="search" aria-label="Filter interactions" placeholder="Filter by command, user or bot" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
      {logMissed.value > 0 && <p class="muted small">{logMissed.value} older entries are not in the log any more.</p>}
      {shown.length === 0 && <p class="muted">No interaction {filter ? 'matches' : 'yet: run a command'}.</p>}
      <ul class="traces">{shown.map((trace) => <TraceView key={trace.id} trace={trace} />)}</ul>
    </>
  );
}

const ms = (value: number): string => (value < 10 ? value.toFixed(1) : Math.round(value).toString());

function TraceView({ trace }: { trace: Trace }) {
  const [open, setOpen] = useState(false);
  const scale = Math.max(trace.total, 1);
  const bad = trace.steps.some((step) => step.bad) || (trace.acknowledged === null && Date.now() - trace.begun / 1000 > 3000);
  return (
    <li class="trace">
      <button type="button" class="trace-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class={open ? '' : 'turn'}><Icon name="chevron" size={14} /></span>
        <b class={bad ? 'bad-text' : ''}>{line(trace.title)}</b>
        <span class="muted small">{line(trace.user)} → {botName(trace.bot)}</span>
        <span class="spacer" />
        <span class="small">{trace.acknowledged === null ? 'no answer' : `${ms(trace.acknowledged)} ms`}</span>
      </button>
      <ol class="waterfall">
        {trace.steps.map((step) => (
          <li key={step.entry.n}>
            <span class="waterfall-label">{step.label}</span>
            <span class="waterfall-line" aria-hidden="true">
              <span class={`waterfall-bar ${step.bad ? 'bad' : ''}`} style={{ left: `${Math.min(98, ((step.at - Math.min(step.took, step.at)) / scale) * 100)}%`, width: `${Math.max(1.5, (Math.min(step.took, step.at) / scale) * 100)}%` }} />
            </span>
            <span class="small waterfall-time">{ms(step.at)} ms {step.bad && <b class="bad-text">{step.entry.status ?? 'cut'}</b>}</span>
          </li>
        ))}
      </ol>
      {open && (
        <div class="bodies">
          <Body title={`INTERACTION_CREATE, seq ${trace.entry.seq}`} value={trace.entry.data} />
          {trace.steps.map((step) => <Exchange key={step.entry.n} step={step} />)}
        </div>
      )}
    </li>
  );
}

function Exchange({ step }: { step: Step }) {
  const { entry } = step;
  return (
    <>
      <div class="small"><b>{entry.method}</b> {plain(entry.path)} <b class={step.bad ? 'bad-text' : 'good'}>{entry.status ?? 'no answer'}</b></div>
      {entry.request && <Body title="Request" value={entry.request} />}
      {entry.response && <Body title="Answer" value={entry.response} />}
    </>
  );
}

export function Body({ title, value }: { title: string; value: unknown }) {
  return (
    <details open>
      <summary>{title}</summary>
      <pre class="code-block" tabIndex={0}><code>{plain(JSON.stringify(value, null, 2))}</code></pre>
    </details>
  );
}

const GROUPS: [string, string[]][] = [
  ['Requests', ['request', 'not_implemented', 'unread_field']],
  ['Events', ['dispatch', 'delivery']],
  ['Gateway', ['connected', 'refused', 'identified', 'resumed', 'sent', 'received', 'closed', 'session_ended']],
  ['Voice', ['voice_connected', 'voice_identified', 'voice_resumed', 'voice_sent', 'voice_received', 'voice_heard', 'voice_closed', 'voice_ended']],
  ['Faults and notes', ['fault', 'note']],
];

function Log() {
  const [filter, setFilter] = useState('');
  const [groups, setGroups] = useState<string[]>(['Requests', 'Events', 'Faults and notes']);
  const [most, setMost] = useState(200);
  const kinds = new Set(GROUPS.filter(([name]) => groups.includes(name)).flatMap(([, kinds]) => kinds));
  const wanted = filter.toLowerCase();
  const shown: Entry[] = [];
  for (let at = log.value.length - 1; at >= 0 && shown.length < most; at -= 1) {
    const entry = log.value[at]!;
    if (kinds.has(entry.kind) && (!wanted || JSON.stringify(entry).toLowerCase().includes(wanted))) shown.push(entry);
  }
  return (
    <>
      <input class="field" type="search" aria-label="Search the log" placeholder="Search, also in bodies" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
      <div class="chips">
        {GROUPS.map(([name]) => (
          <button type="button" key={name} class={`chip ${groups.includes(name) ? 'on' : ''}`} aria-pressed={groups.includes(name)} onClick={() => setGroups(groups.includes(name) ? groups.filter((one) => one !== name) : [...groups, name])}>{name}</button>
        ))}
      </div>
      <ul class="log">{shown.map((entry) => <LogLine key={entry.n} entry={entry} />)}</ul>
      {shown.length === most && <button type="button" class="link-button" onClick={() => setMost(most + 200)}>Show more</button>}
    </>
  );
}

function LogLine({ entry }: { entry: Entry }) {
  const [open, setOpen] = useState(false);
  const bad = entry.kind === 'fault' || (entry.kind === 'delivery' && !!entry.failure) || entry.kind === 'not_implemented' || (entry.kind === 'request' && (!entry.status || entry.status >= 400));
  return (
    <li>
      <button type="button" class="log-line" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class="muted small">{new Date(entry.at_us / 1000).toISOString().slice(11, 23)}</span>
        <span class="kind">{entry.kind}</span>
        <span class={bad ? 'bad-text' : ''}>{line(summary(entry))}</span>
      </button>
      {open && <Body title={`Entry ${entry.n}`} value={entry} />}
    </li>
  );
}
