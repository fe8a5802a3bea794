// The administrators' side: people, bots, roles, channels and their permissions, guilds.

import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import * as api from './api';
import { Dialog } from './dialogs';
import { Avatar } from './icons';
import { JoinForm } from './invites';
import { bit, NAMES, type Permission } from './permissions';
import { attempt, botStatus, channel as current, guild as currentGuild, guilds, nameOf, openGuild, toast, users, world } from './store';
import { color, line, readBase64 } from './text';
import type { Guild } from './types';

type Tab = 'people' | 'roles' | 'channels' | 'permissions' | 'guild';

export const admin = signal<Tab | null>(null);

const TABS: [Tab, string][] = [['people', 'People and bots'], ['roles', 'Roles'], ['channels', 'Channels'], ['permissions', 'Channel permissions'], ['guild', 'New server']];

export function Admin() {
  const tab = admin.value;
  if (!tab) return null;
  const guild = currentGuild.value ?? guilds.value[0] ?? null;
  return (
    <Dialog title={guild ? `Settings of ${line(guild.name)}` : 'Settings'} wide onClose={() => (admin.value = null)}>
      <div class="tabs" role="tablist" aria-label="Settings">
        {TABS.filter(([id]) => guild || id === 'guild' || id === 'people').map(([id, name]) => (
          <button type="button" key={id} role="tab" id={`admin-tab-${id}`} aria-controls="admin-panel" aria-selected={tab === id} onClick={() => (admin.value = id)}>{name}</button>
        ))}
      </div>
      <div class="admin" role="tabpanel" id="admin-panel" aria-labelledby={`admin-tab-${tab}`}>
        {tab === 'people' && <People guild={guild} />}
        {tab === 'roles' && guild && <Roles guild={guild} />}
        {tab === 'channels' && guild && <Channels guild={guild} />}
        {tab === 'permissions' && guild && <Permissions guild={guild} />}
        {tab === 'guild' && <NewGuild />}
      </div>
      <p class="muted small">Sandbox {line(world.version)} • <a href="/app/licences.txt" target="_blank" rel="noreferrer noopener">Licences of the libraries in this page</a></p>
    </Dialog>
  );
}

const done = (text: string): void => void (toast.value = { text, bad: false });
const path = (guild: Guild): string => `guilds/${guild.id}`;

/** Reads a form and empties it when the sandbox has taken it. */
function submit(action: (data: FormData) => Promise<unknown>, said: (data: FormData) => string) {
  return async (event: Event): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const ok = await attempt(async () => {
      await action(data);
      return true;
    });
    if (ok) {
      form.reset();
      done(said(data));
    }
  };
}

const text = (data: FormData, name: string): string => String(data.get(name) ?? '').trim();

function People({ guild }: { guild: Guild | null }) {
  const [token, setToken] = useState('');
  const roles = guild?.roles.filter((role) => role.id !== guild.id && !role.managed) ?? [];
  return (
    <>
      <form class="line-form" onSubmit={submit((data) => api.post('users', { username: text(data, 'name'), global_name: text(data, 'shown') || undefined, guild: guild?.id }), (data) => `${text(data, 'name')} is here.`)}>
        <label class="label">Username<input class="field" name="name" required pattern="[a-z0-9_.]{2,32}" title="2 to 32 of a-z, 0-9, dot and underscore" /></label>
        <label class="label">Display name<input class="field" name="shown" maxLength={32} /></label>
        <button class="button primary">Make user</button>
      </form>
      <form class="line-form" onSubmit={submit(async (data) => setToken((await api.post('bots', { name: text(data, 'name'), guilds: guild ? [guild.id] : [] })).token), () => 'The bot is made.')}>
        <label class="label">Name of a bot<input class="field" name="name" required maxLength={32} /></label>
        <button class="button primary">Make bot</button>
      </form>
      {token && <p class="token">Its token, shown only now: <code class="inline">{token}</code></p>}
      <ul class="admin-list">
        {users.value.map((user) => {
          const member = guild?.members.find((one) => one.user.id === user.id);
          return (
            <li key={user.id}>
              <Avatar id={user.id} name={nameOf(user, guild)} size={32} status={botStatus(user.id)} />
              <span class="item-text"><b>{line(nameOf(user, guild))} {user.bot && <span class="tag">APP</span>}</b><small>{line(user.username)} {user.bot ? (botStatus(user.id) === 'online' ? 'connected' : 'not connected') : ''}</small></span>
              {!user.bot && <PictureInput id={user.id} name={user.username} has={Boolean(user.avatar)} />}
              {guild && member && !user.bot && (
                <span class="chips">
                  {roles.map((role) => {
                    const on = member.roles.includes(role.id);
                    const next = on ? member.roles.filter((id) => id !== role.id) : [...member.roles, role.id];
                    return <label class="chip" key={role.id}><input type="checkbox" checked={on} onChange={() => void attempt(() => api.patch(`${path(guild)}/members/${user.id}`, { roles: next }))} /> {line(role.name)}</label>;
                  })}
                </span>
              )}
              {guild && user.id !== guild.owner_id && (
                <button type="button" class="link-button" onClick={() => void attempt(() => (member ? api.del(`${path(guild)}/members/${user.id}`) : api.put(`${path(guild)}/members/${user.id}`)))}>{member ? 'Remove' : 'Add'}</button>
              )}
            </li>
          );
        })}
      </ul>
    </>
  );
}

/** Gives a user an avatar, or takes it away. */
function PictureInput({ id, name, has }: { id: string; name: string; has: boolean }) {
  const set = (avatar: string | null) => attempt(() => api.patch(`users/${id}`, { avatar }));
  const read = async (input: HTMLInputElement): Promise<void> => {
    const file = input.files?.[0];
    if (file) await set(`data:${file.type};base64,${await readBase64(file)}`);
    input.value = '';
  };
  if (has) return <button type="button" class="link-button" aria-label={`Remove the picture of ${line(name)}`} onClick={() => void set(null)}>Remove picture</button>;
  return <label class="link-button picture-input">Picture…<input type="file" accept="image/*" aria-label={`Picture of ${line(name)}`} onChange={(event) => void read(event.currentTarget)} /></label>;
}

function Roles({ guild }: { guild: Guild }) {
  const sorted = [...guild.roles].sort((a, b) => b.position - a.position);
  const [chosen, choose] = useState(guild.id);
  const role = guild.roles.find((one) => one.id === chosen) ?? sorted[0]!;
  const set = (name: Permission, on: boolean) => attempt(() => api.patch(`${path(guild)}/roles/${role.id}/permissions`, on ? { allow: [name] } : { deny: [name] }));
  return (
    <>
      <form class="line-form" onSubmit={submit((data) => api.post(`${path(guild)}/roles`, { name: text(data, 'name'), color: Number.parseInt(text(data, 'color').slice(1), 16) || 0 }), (data) => `The role ${text(data, 'name')} is made.`)}>
        <label class="label">Name<input class="field" name="name" required maxLength={100} /></label>
        <label class="label">Colour<input class="field" name="color" type="color" defaultValue="#5865f2" /></label>
        <button class="button primary">Make role</button>
      </form>
      <label class="label">Role
        <select class="field" aria-label="Role" value={role.id} onChange={(event) => choose(event.currentTarget.value)}>
          {sorted.map((one) => <option key={one.id} value={one.id}>{line(one.name)}</option>)}
        </select>
      </label>
      {role.color > 0 && <p><span class="swatch" style={{ background: color(role.color) }} /> {color(role.color)}</p>}
      <div class="permission-grid">
        {NAMES.map((name) => (
          <label class="check" key={name}><input type="checkbox" checked={bit(role.permissions, name)} onChange={(event) => void set(name, event.currentTarget.checked)} /> {name}</label>
        ))}
      </div>
    </>
  );
}

const KINDS: [number, string][] = [[0, 'Text'], [2, 'Voice'], [4, 'Category'], [5, 'Announcement'], [13, 'Stage'], [15, 'Forum'], [16, 'Media']];

function Channels({ guild }: { guild: Guild }) {
  return (
    <>
      <form class="line-form" onSubmit={submit((data) => api.post(`${path(guild)}/channels`, { name: text(data, 'name'), type: Number(text(data, 'type')), topic: text(data, 'topic') || undefined, parent: text(data, 'parent') || undefined }), (data) => `${text(data, 'name')} is made.`)}>
        <label class="label">Name<input class="field" name="name" required maxLength={100} /></label>
        <label class="label">Type<select class="field" name="type" aria-label="Type">{KINDS.map(([value, name]) => <option key={value} value={value}>{name}</option>)}</select></label>
        <label class="label">Category<select class="field" name="parent" aria-label="Category"><option value="">None</option>{guild.channels.filter((one) => one.type === 4).map((one) => <option key={one.id} value={one.id}>{line(one.name)}</option>)}</select></label>
        <label class="label">Topic<input class="field" name="topic" maxLength={1024} /></label>
        <button class="button primary">Make channel</button>
      </form>
      <ul class="admin-list">
        {guild.channels.map((one) => (
          <li key={one.id}>
            <span class="item-text"><b>{line(one.name)}</b><small>{KINDS.find(([kind]) => kind === one.type)?.[1] ?? one.type} {line(one.topic ?? '')}</small></span>
            <Rename guild={guild} id={one.id} name={one.name} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Rename({ guild, id, name }: { guild: Guild; id: string; name: string }) {
  const [value, set] = useState(name);
  const save = (event: Event) => {
    event.preventDefault();
    void attempt(() => api.patch(`${path(guild)}/channels/${id}`, { name: value }));
  };
  return (
    <form class="line-form" onSubmit={save}>
      <input class="field" aria-label={`Name of ${line(name)}`} value={value} onInput={(event) => set(event.currentTarget.value)} />
      <button class="button secondary small" disabled={value === name}>Rename</button>
    </form>
  );
}

const STATES = [['deny', 'Deny', '✕'], ['inherit', 'Inherit', '/'], ['allow', 'Allow', '✓']] as const;

function Permissions({ guild }: { guild: Guild }) {
  const [id, setId] = useState(current.value?.guild_id === guild.id && !current.value.thread_metadata ? current.value.id : guild.channels[0]?.id ?? '');
  const [who, setWho] = useState(guild.id);
  const channel = guild.channels.find((one) => one.id === id);
  const overwrite = channel?.permission_overwrites?.find((one) => one.id === who);
  const isRole = guild.roles.some((role) => role.id === who);
  const set = (name: Permission, state: string) => attempt(() => api.patch(`${path(guild)}/channels/${id}/permissions/${isRole ? who : `@${who}`}`, { [state]: [name] }));
  return (
    <>
      <div class="line-form">
        <label class="label">Channel<select class="field" aria-label="Channel" value={id} onChange={(event) => setId(event.currentTarget.value)}>{guild.channels.map((one) => <option key={one.id} value={one.id}>{line(one.name)}</option>)}</select></label>
        <label class="label">Role or member
          <select class="field" aria-label="Role or member" value={who} onChange={(event) => setWho(event.currentTarget.value)}>
            <optgroup label="Roles">{guild.roles.map((role) => <option key={role.id} value={role.id}>{line(role.name)}</option>)}</optgroup>
            <optgroup label="Members">{guild.members.map((member) => <option key={member.user.id} value={member.user.id}>{line(nameOf(member.user, guild))}</option>)}</optgroup>
          </select>
        </label>
      </div>
      <div class="permission-grid">
        {NAMES.map((name) => {
          const now = bit(overwrite?.allow, name) ? 'allow' : bit(overwrite?.deny, name) ? 'deny' : 'inherit';
          return (
            <div class="permission" key={name} role="group" aria-label={name}>
              <span>{name}</span>
              {STATES.map(([state, label, sign]) => <button type="button" key={state} class={`tri ${state}`} aria-pressed={now === state} aria-label={`${label} ${name}`} title={label} onClick={() => void set(name, state)}>{sign}</button>)}
            </div>
          );
        })}
      </div>
    </>
  );
}

function NewGuild() {
  const people = users.value.filter((user) => !user.bot);
  return (
    <>
    <JoinForm onJoined={() => (admin.value = null)} />
    <form
      onSubmit={submit(async (data) => {
        const made = await api.post('guilds', { name: text(data, 'name'), owner: text(data, 'owner'), members: data.getAll('members').map(String).filter((one) => one !== text(data, 'owner')) });
        admin.value = null;
        if (guilds.value.some((one) => one.id === made.id)) openGuild(made.id);
      }, (data) => `The server ${text(data, 'name')} is made, with all bots in it.`)}
    >
      <label class="label">Name<input class="field" name="name" required maxLength={100} /></label>
      <label class="label">Owner<select class="field" name="owner" aria-label="Owner">{people.map((user) => <option key={user.id} value={user.username}>{line(user.username)}</option>)}</select></label>
      <fieldset class="chips"><legend class="label">Members</legend>{people.map((user) => <label class="chip" key={user.id}><input type="checkbox" name="members" value={user.username} defaultChecked /> {line(user.username)}</label>)}</fieldset>
      <footer><button class="button primary">Make server</button></footer>
    </form>
    </>
  );
}
