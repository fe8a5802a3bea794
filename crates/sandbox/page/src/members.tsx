// Who is in a guild, by role, those who are offline last.

import { signal } from '@preact/signals';
import { Avatar } from './icons';
import { openProfile, openUserMenu } from './menus';
import { colorOf, me, nameOf, themeNow } from './store';
import { line, readable } from './text';
import type { Guild, Member } from './types';

export const membersShown = signal(innerWidth > 1100);

export function Members({ guild }: { guild: Guild }) {
  const presence = new Map(guild.presences.map((one) => [one.user.id, one]));
  const online = (member: Member): boolean => (member.user.bot ? presence.has(member.user.id) : (presence.get(member.user.id)?.status ?? 'online') !== 'offline');
  const hoisted = guild.roles.filter((role) => role.hoist).sort((a, b) => b.position - a.position);
  const groups: { name: string; members: Member[] }[] = hoisted.map((role) => ({ name: role.name, members: [] }));
  const rest: Member[] = [];
  const offline: Member[] = [];
  for (const member of guild.members) {
    const at = hoisted.findIndex((role) => member.roles.includes(role.id));
    (!online(member) ? offline : at >= 0 ? groups[at]!.members : rest).push(member);
  }
  groups.push({ name: 'Online', members: rest }, { name: 'Offline', members: offline });
  return (
    <aside class="members" aria-label="Members">
      {groups.filter((group) => group.members.length).map((group) => (
        <section key={group.name}>
          <h2>{line(group.name)} — {group.members.length}</h2>
          <ul>
            {group.members.slice(0, 200).map((member) => {
              const user = member.user;
              const name = nameOf(user, guild);
              const role = colorOf(user.id, guild);
              const state = presence.get(user.id);
              return (
                <li key={user.id}>
                  <button type="button" class={`member ${group.name === 'Offline' ? 'offline' : ''}`} onClick={(event) => openProfile(event, user)} onContextMenu={(event) => void openUserMenu(event, user)}>
                    <Avatar id={user.id} name={name} size={32} status={group.name === 'Offline' ? 'offline' : state?.status ?? 'online'} />
                    <span class="item-text">
                      <span><span class="name" style={role ? { color: readable(role, themeNow.value) } : undefined}>{line(name)}</span> {user.bot && <span class="tag">APP</span>}{user.id === me.value?.id && <span class="muted small"> you</span>}</span>
                      {state?.activities[0] && <small>{line(state.activities[0].state ?? state.activities[0].name)}</small>}
                    </span>
                  </button>
                </li>
              );
            })}
          </ul>
          {group.members.length > 200 && <p class="muted small">and {group.members.length - 200} more</p>}
        </section>
      ))}
    </aside>
  );
}
