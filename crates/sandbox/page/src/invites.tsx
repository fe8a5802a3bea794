// Invites of a guild: made, listed, deleted, and accepted by their code.

import { useEffect, useState } from 'preact/hooks';
import * as api from './api';
import { dialog, Dialog } from './dialogs';
import { attempt, channel as current, fail, guild as currentGuild, guilds, me, nameOf, openGuild, toast } from './store';
import { counted, line, stampText } from './text';
import type { Guild, Invite } from './types';
import { has } from './permissions';

const DAY = 86_400;
const AGES: [number, string][] = [[1800, '30 minutes'], [3600, '1 hour'], [DAY, '1 day'], [604_800, '7 days'], [0, 'Never']];
const USES: [number, string][] = [[0, 'No limit'], [1, '1 use'], [5, '5 uses'], [25, '25 uses'], [100, '100 uses']];

export function Invites() {
  const guild = currentGuild.value;
  const close = (): void => void (dialog.value = null);
  if (!guild) return null;
  return <Dialog title={`Invite people to ${line(guild.name)}`} onClose={close}><InvitePanel key={`${guild.id} ${me.value!.id}`} guild={guild} /></Dialog>;
}

function InvitePanel({ guild }: { guild: Guild }) {
  const as = me.value!.id;
  const [list, setList] = useState<Invite[] | null>(null);
  const [code, setCode] = useState('');
  // Only who manages the guild or reads its audit log sees all invites.
  const lists = has(guild.permissions, 'MANAGE_GUILD') || has(guild.permissions, 'VIEW_AUDIT_LOG');
  const read = (): void => {
    if (lists) api.get(`guilds/${guild.id}/invites`, { as }).then(setList, fail);
  };
  useEffect(read, [guild.id]);
  const create = async (event: Event): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const made: Invite | undefined = await attempt(() => api.post(`guilds/${guild.id}/invites`, {
      as, channel: data.get('channel'), max_age: Number(data.get('age')), max_uses: Number(data.get('uses')),
      temporary: data.get('temporary') !== null, unique: true,
    }));
    if (!made) return;
    setCode(made.code);
    read();
  };
  const channels = guild.channels.filter((one) => one.type !== 4 && has(one.permissions, 'CREATE_INSTANT_INVITE'));
  return (
    <>
      {channels.length > 0 ? (
        <form onSubmit={(event) => void create(event)}>
          <div class="line-form">
            <label class="label">Channel<select class="field" name="channel" aria-label="Channel">{channels.map((one) => <option key={one.id} value={one.id} selected={one.id === current.value?.id}>{line(one.name)}</option>)}</select></label>
            <label class="label">Expires after<select class="field" name="age" aria-label="Expires after">{AGES.map(([value, name]) => <option key={value} value={value} selected={value === DAY}>{name}</option>)}</select></label>
            <label class="label">Uses<select class="field" name="uses" aria-label="Uses">{USES.map(([value, name]) => <option key={value} value={value}>{name}</option>)}</select></label>
          </div>
          <label class="check"><input type="checkbox" name="temporary" /> Members leave when they go offline</label>
          <footer><button class="button primary">Make invite</button></footer>
        </form>
      ) : <p class="muted">You do not have permission to make invites here.</p>}
      {code && <p class="token" role="status">The code is <code class="inline">{code}</code></p>}
      {list && <h3 class="label">{counted(list.length, 'invite')}</h3>}
      <ul class="admin-list">
        {list?.map((invite) => (
          <li key={invite.code}>
            <span class="item-text">
              <b class="mono">{invite.code}</b>
              <small>#{line(invite.channel?.name ?? '')}{invite.inviter && `, by ${line(nameOf(invite.inviter, guild))}`}{invite.uses !== undefined && `, ${counted(invite.uses, 'use')}${invite.max_uses ? ` of ${invite.max_uses}` : ''}`}, {invite.expires_at ? `until ${stampText(new Date(invite.expires_at))}` : 'never expires'}</small>
            </span>
            <button type="button" class="link-button" aria-label={`Delete ${invite.code}`} onClick={() => void attempt(async () => { await api.del(`invites/${invite.code}`, { as }); read(); })}>Delete</button>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Joins a guild by an invite's code or address. */
export function JoinForm({ onJoined }: { onJoined: () => void }) {
  const [invite, setInvite] = useState<Invite | null>(null);
  const as = me.value!.id;
  const look = async (event: Event): Promise<void> => {
    event.preventDefault();
    const text = String(new FormData(event.currentTarget as HTMLFormElement).get('code') ?? '').trim();
    // People paste the whole address.
    const code = text.replace(/[/?#]*$/, '').split('/').at(-1)!;
    setInvite((await attempt(() => api.get(`invites/${api.segment(code)}`, { as }))) ?? null);
  };
  const join = async (): Promise<void> => {
    const { code, guild } = invite!;
    const member = await attempt(() => api.post(`invites/${api.segment(code)}`, { as }));
    if (!member) return;
    toast.value = { text: `You have joined ${guild?.name ?? 'the server'}.`, bad: false };
    onJoined();
    // It is in the next change, which is on its way.
    const stop = guilds.subscribe((all) => {
      if (!guild || !all.some((one) => one.id === guild.id)) return;
      queueMicrotask(() => { stop(); openGuild(guild.id); });
    });
  };
  return (
    <>
      <form class="line-form" onSubmit={(event) => void look(event)}>
        <label class="label">Code of an invite<input class="field" name="code" required maxLength={100} /></label>
        <button class="button secondary">Look</button>
      </form>
      {invite && (
        <div class="found-invite">
          <span class="item-text"><b>{line(invite.guild?.name ?? '')}</b><small>#{line(invite.channel?.name ?? '')}{invite.approximate_member_count !== undefined && `, ${counted(invite.approximate_member_count, 'member')}`}{invite.inviter && `, invited by ${line(nameOf(invite.inviter, null))}`}</small></span>
          <button type="button" class="button primary" onClick={() => void join()}>Join</button>
        </div>
      )}
      <hr class="separator wide" />
    </>
  );
}
