// A forum: its posts, newest activity first.

import { useState } from 'preact/hooks';
import { dialog } from './dialogs';
import { Icon } from './icons';
import { may } from './permissions';
import { nameOf, openChannel, userOf } from './store';
import { compareIds, line, stampText, timeOf } from './text';
import type { Channel, Guild } from './types';

export function Forum({ channel, guild }: { channel: Channel; guild: Guild }) {
  const [tag, setTag] = useState<string | null>(null);
  const posts = guild.threads
    .filter((thread) => thread.parent_id === channel.id && (!tag || thread.applied_tags?.includes(tag)))
    .sort((a, b) => compareIds(b.last_message_id ?? b.id, a.last_message_id ?? a.id));
  const tags = new Map(channel.available_tags?.map((one) => [one.id, one]));
  return (
    <div class="forum">
      <div class="forum-head">
        {may(channel, 'SEND_MESSAGES') && <button type="button" class="button primary" onClick={() => (dialog.value = { kind: 'thread', from: null, parent: channel })}>New Post</button>}
        {[...tags.values()].map((one) => <button type="button" key={one.id} class={`chip ${tag === one.id ? 'on' : ''}`} aria-pressed={tag === one.id} onClick={() => setTag(tag === one.id ? null : one.id)}>{line(one.name)}</button>)}
      </div>
      {posts.length === 0 && <p class="muted">There are no posts {tag ? 'with this tag' : 'yet'}.</p>}
      <ul>
        {posts.map((post) => {
          const owner = post.owner_id ? userOf(post.owner_id) : undefined;
          return (
            <li key={post.id}>
              <button type="button" class="post" onClick={() => openChannel(guild.id, post.id)}>
                <span class="chips">{post.applied_tags?.map((id) => tags.get(id)).filter((one) => one !== undefined).map((one) => <span class="chip" key={one.id}>{line(one.name)}</span>)}</span>
                <b>{line(post.name)}</b>
                <small>{owner && line(nameOf(owner, guild))} • <Icon name="forum" size={14} /> {post.message_count ?? 0} • {stampText(timeOf(post.last_message_id ?? post.id))}{post.thread_metadata?.archived && ' • closed'}</small>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
