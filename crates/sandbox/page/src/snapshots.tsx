// Snapshots of the whole world: saved, restored and deleted.

import { useEffect, useState } from 'preact/hooks';
import * as api from './api';
import { attempt, fail, toast } from './store';
import { counted, line, size, stampText } from './text';
import type { Snapshot } from './types';

export function Snapshots() {
  const [list, setList] = useState<Snapshot[] | null>(null);
  /** The one that is about to be restored, until it is confirmed. */
  const [asked, ask] = useState('');
  const read = (): void => void api.get('snapshots').then(setList, fail);
  useEffect(read, []);
  const act = (action: () => Promise<unknown>, said: string) => attempt(async () => {
    await action();
    toast.value = { text: said, bad: false };
    ask('');
    read();
  });
  const save = (event: Event): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const name = String(new FormData(form).get('name'));
    void act(() => api.put(`snapshots/${name}`), `The world is saved as ${name}.`).then(() => form.reset());
  };
  return (
    <>
      <form class="line-form" onSubmit={save}>
        <label class="label">Name<input class="field" name="name" required pattern="[A-Za-z0-9_\-]{1,64}" title="1 to 64 of a-z, A-Z, 0-9, hyphen and underscore" /></label>
        <button class="button primary">Save the world</button>
      </form>
      {list?.length === 0 && <p class="muted">None yet. A snapshot has all of the world: guilds, messages, people, bots and the clock.</p>}
      <ul class="admin-list">
        {list?.map((one) => (
          <li key={one.name} class="wrap">
            <span class="item-text">
              <b>{one.name}</b>
              <small>{one.error ? <span class="bad-text">{line(one.error)}</span> : <>{one.saved_at && stampText(new Date(one.saved_at))}, {counted(one.guilds ?? 0, 'server')}, {counted(one.channels ?? 0, 'channel')}, {counted(one.messages ?? 0, 'message')}, {size(one.bytes)}</>}</small>
            </span>
            {asked === one.name ? (
              <span class="row">
                <span class="small">What has happened since is lost, and sessions of bots end.</span>
                <button type="button" class="button danger small" onClick={() => void act(() => api.post(`snapshots/${one.name}/restore`), `The world is as it was saved in ${one.name}.`)}>Restore {one.name}</button>
                <button type="button" class="link-button" onClick={() => ask('')}>Keep the present</button>
              </span>
            ) : (
              <span class="row">
                {!one.error && <button type="button" class="link-button" aria-label={`Restore ${one.name}…`} onClick={() => ask(one.name)}>Restore…</button>}
                <button type="button" class="link-button" aria-label={`Delete ${one.name}`} onClick={() => void act(() => api.del(`snapshots/${one.name}`), `${one.name} is deleted.`)}>Delete</button>
              </span>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
