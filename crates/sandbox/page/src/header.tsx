// The line above a channel, and its pinned messages.

import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import * as api from './api';
import { dialog, Dialog } from './dialogs';
import { drawer } from './drawer-state';
import { Icon, IconButton } from './icons';
import { jumpTo } from './message';
import { membersShown } from './members';
import { may } from './permissions';
import { searching } from './search';
import { Name, Rich } from './rich';
import { attempt, channel as current, fail, guildOf, me, nameOf, openChannel } from './store';
import { iconOf, navigation } from './sidebar';
import { line, stampText } from './text';
import type { Channel, Message } from './types';

const pinsOpen = signal(false);

export function Header({ channel }: { channel: Channel | null }) {
  const direct = channel && !channel.guild_id;
  const name = !channel ? '' : direct ? channel.name || channel.recipients?.map((user) => nameOf(user, null)).join(', ') || '' : channel.name;
  const text = channel && ![4, 15, 16].includes(channel.type);
  return (
    <header class="head-bar">
      <IconButton name="menu" label="Channels" kind="narrow-only" expanded={navigation.value} onClick={() => (navigation.value = !navigation.value)} />
      {channel && <span class="head-icon"><Icon name={direct ? 'at' : iconOf(channel)} size={22} /></span>}
      <h1>{line(name)}</h1>
      {channel?.topic && <span class="topic" title={line(channel.topic)}>{line(channel.topic)}</span>}
      <span class="spacer" />
      {channel?.thread_metadata && <ThreadButtons thread={channel} />}
      {text && [0, 5].includes(channel.type) && may(channel, 'CREATE_PUBLIC_THREADS') && <IconButton name="thread" label="New thread" onClick={() => (dialog.value = { kind: 'thread', from: null, parent: channel })} />}
      {text && <IconButton name="pin" label="Pinned messages" expanded={pinsOpen.value} onClick={() => (pinsOpen.value = true)} />}
      {channel?.guild_id && <IconButton name="search" label="Search" pressed={searching.value} onClick={() => (searching.value = !searching.value)} />}
      {channel?.guild_id && <IconButton name="people" label="Members" pressed={membersShown.value && !searching.value} onClick={() => { membersShown.value = searching.value || !membersShown.value; searching.value = false; }} />}
      <IconButton name="code" label="Developer drawer" pressed={drawer.value !== null} onClick={() => (drawer.value = drawer.value === null ? 'interactions' : null)} />
      {pinsOpen.value && channel && <Pins channel={channel} />}
    </header>
  );
}

function ThreadButtons({ thread }: { thread: Channel }) {
  const as = me.value!.id;
  const { archived, locked } = thread.thread_metadata!;
  const edit = (change: object) => attempt(() => api.patch(`threads/${thread.id}`, { as, ...change }));
  const moderates = may(thread, 'MANAGE_THREADS');
  const own = thread.owner_id === as;
  return (
    <>
      {archived ? <span class="muted small">closed</span> : null}
      {!archived && <button type="button" class="link-button" onClick={() => void attempt(() => (thread.member ? api.del(`threads/${thread.id}/members`, { as }) : api.post(`threads/${thread.id}/members`, { as })))}>{thread.member ? 'Leave' : 'Join'}</button>}
      {(own || moderates) && <button type="button" class="link-button" onClick={() => void edit({ archived: !archived })}>{archived ? 'Reopen' : 'Close'}</button>}
      {moderates && <button type="button" class="link-button" onClick={() => void edit({ locked: !locked })}>{locked ? 'Unlock' : 'Lock'}</button>}
      {thread.parent_id && <IconButton name="close" label="Back to the channel" onClick={() => openChannel(thread.guild_id ?? null, thread.parent_id!)} />}
    </>
  );
}

function Pins({ channel }: { channel: Channel }) {
  const [pins, setPins] = useState<Message[] | null>(null);
  useEffect(() => {
    api.get('pins', { as: me.value!.id, channel: channel.id }).then(setPins, fail);
  }, [channel.id]);
  const guild = guildOf(current.value);
  return (
    <Dialog title="Pinned Messages" onClose={() => (pinsOpen.value = false)}>
      {pins?.length === 0 && <p class="muted">This channel has no pinned messages.</p>}
      <ul class="pins">
        {pins?.map((message) => (
          <li key={message.id}>
            <div class="head-line"><Name user={message.author} guild={guild} /> <time dateTime={message.timestamp}>{stampText(new Date(message.timestamp))}</time></div>
            <div class="content"><Rich text={message.content || '(no text)'} channel={channel} /></div>
            <button type="button" class="link-button" onClick={() => { pinsOpen.value = false; jumpTo(message); }}>Jump</button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
