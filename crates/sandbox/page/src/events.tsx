// Scheduled events of a guild: listed, made, started, ended, and who is interested.

import { useState } from 'preact/hooks';
import * as api from './api';
import { dialog, Dialog } from './dialogs';
import { Icon } from './icons';
import { has } from './permissions';
import { attempt, channel as current, guild as currentGuild, me, nameOf, userOf } from './store';
import { fullText, line } from './text';
import type { Guild, ScheduledEvent } from './types';

const STAGE = 1;
const VOICE = 2;
const ELSEWHERE = 3;

export function Events() {
  const guild = currentGuild.value;
  const [making, make] = useState(false);
  if (!guild) return null;
  const sorted = [...guild.scheduled_events].sort((a, b) => b.status - a.status || a.scheduled_start_time.localeCompare(b.scheduled_start_time));
  return (
    <Dialog title={making ? 'New Event' : 'Events'} onClose={() => (dialog.value = null)}>
      {making ? <NewEvent guild={guild} onEnd={() => make(false)} /> : (
        <>
          {sorted.length === 0 && <p class="muted">Nothing is planned.</p>}
          <ul class="events">{sorted.map((event) => <EventView key={event.id} event={event} guild={guild} />)}</ul>
          {(has(guild.permissions, 'CREATE_EVENTS') || has(guild.permissions, 'MANAGE_EVENTS')) && <footer><button type="button" class="button primary" onClick={() => make(true)}>New event</button></footer>}
        </>
      )}
    </Dialog>
  );
}

function EventView({ event, guild }: { event: ScheduledEvent; guild: Guild }) {
  const as = me.value!.id;
  const path = `guilds/${guild.id}/scheduled-events/${event.id}`;
  const channel = guild.channels.find((one) => one.id === event.channel_id);
  const creator = userOf(event.creator_id);
  const manages = has(guild.permissions, 'MANAGE_EVENTS') || (event.creator_id === as && has(guild.permissions, 'CREATE_EVENTS'));
  const set = (status: number) => attempt(() => api.patch(path, { as, status }));
  const interest = () => attempt(() => (event.interested ? api.del(`${path}/users/${as}`) : api.put(`${path}/users/${as}`)));
  return (
    <li class="event">
      <div class={`small ${event.status === 2 ? 'good' : 'muted'}`}><Icon name="calendar" size={14} /> {event.status === 2 ? 'Going on now' : <time dateTime={event.scheduled_start_time}>{fullText(new Date(event.scheduled_start_time))}</time>}</div>
      <h3>{line(event.name)}</h3>
      {event.description && <p>{line(event.description)}</p>}
      <div class="small muted">{line(event.entity_metadata?.location ?? channel?.name ?? '')}{creator && `, by ${line(nameOf(creator, guild))}`}, {event.user_count} interested</div>
      <div class="row">
        <button type="button" class={`button small ${event.interested ? 'success' : 'secondary'}`} aria-pressed={event.interested} onClick={() => void interest()}>{event.interested && <Icon name="check" size={16} />} Interested</button>
        {manages && event.status === 1 && <button type="button" class="button secondary small" onClick={() => void set(2)}>Start</button>}
        {manages && <button type="button" class="button danger small" onClick={() => void set(event.status === 2 ? 3 : 4)}>{event.status === 2 ? 'End' : 'Cancel event'}</button>}
      </div>
    </li>
  );
}

/** Returns a moment as a field for local times has it. */
function local(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

function NewEvent({ guild, onEnd }: { guild: Guild; onEnd: () => void }) {
  const places = guild.channels.filter((one) => one.type === 2 || one.type === 13);
  const [place, setPlace] = useState(places.find((one) => one.id === current.value?.id)?.id ?? places[0]?.id ?? '');
  const create = async (event: Event): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string => String(data.get(name) ?? '').trim();
    const moment = (name: string): string | undefined => (text(name) ? new Date(text(name)).toISOString() : undefined);
    const channel = places.find((one) => one.id === place);
    const made = await attempt(() => api.post(`guilds/${guild.id}/scheduled-events`, {
      as: me.value!.id, name: text('name'), description: text('description') || undefined, privacy_level: 2,
      scheduled_start_time: moment('start'), scheduled_end_time: moment('end'),
      entity_type: !channel ? ELSEWHERE : channel.type === 13 ? STAGE : VOICE, channel_id: channel?.id,
      entity_metadata: channel ? undefined : { location: text('location') },
    }));
    if (made) onEnd();
  };
  const hour = 3_600_000;
  return (
    <form onSubmit={(event) => void create(event)}>
      <label class="label">Name<input class="field" name="name" required maxLength={100} /></label>
      <label class="label">Where
        <select class="field" aria-label="Where" value={place} onChange={(event) => setPlace(event.currentTarget.value)}>
          {places.map((one) => <option key={one.id} value={one.id}>{line(one.name)}</option>)}
          <option value="">Somewhere else</option>
        </select>
      </label>
      {!place && <label class="label">Place<input class="field" name="location" required maxLength={100} /></label>}
      <div class="line-form">
        <label class="label">Start<input class="field" name="start" type="datetime-local" required defaultValue={local(new Date(Date.now() + hour))} /></label>
        <label class="label">End<input class="field" name="end" type="datetime-local" required={!place} defaultValue={place ? '' : local(new Date(Date.now() + 2 * hour))} /></label>
      </div>
      <label class="label">Description<textarea class="field" name="description" rows={3} maxLength={1000} /></label>
      <footer><button type="button" class="button secondary" onClick={onEnd}>Back</button><button class="button primary">Make event</button></footer>
    </form>
  );
}
