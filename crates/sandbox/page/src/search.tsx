// Searching messages of a guild, beside the channel.

import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import * as api from './api';
import { IconButton } from './icons';
import { jumpTo } from './message';
import { Name, Rich } from './rich';
import { attempt, findChannel, guilds, me, users } from './store';
import { counted, line, stampText } from './text';
import type { Guild, Message } from './types';

export const searching = signal(false);

const PAGE = 25;

interface Found {
  query: URLSearchParams;
  total: number;
  messages: Message[];
}

/** Words of a query that are conditions, as in `from:alice in:general has:link pinned:true fish`. */
const CONDITIONS = /(?:^|\s)(from|mentions|in|has|pinned):("[^"]+"|\S+)/g;

/** Returns the parameters of a search. Throws a sentence about a word that means nothing. */
function read(text: string, guild: Guild): URLSearchParams {
  const query = new URLSearchParams({ as: me.value!.id });
  const account = (name: string): string => {
    const wanted = name.replace(/^@/, '').toLowerCase();
    const user = users.value.find((one) => one.id === wanted || one.username.toLowerCase() === wanted || one.global_name?.toLowerCase() === wanted);
    if (!user) throw new Error(`There is no user “${name}”.`);
    return user.id;
  };
  const rest = text.replace(CONDITIONS, (_, key: string, quoted: string) => {
    const value = quoted.replace(/^"|"$/g, '');
    if (key === 'from') query.append('author_id', account(value));
    else if (key === 'mentions') query.append('mentions', account(value));
    else if (key === 'in') {
      const wanted = value.replace(/^#/, '').toLowerCase();
      const channel = [...guild.channels, ...guild.threads].find((one) => one.id === wanted || one.name?.toLowerCase() === wanted);
      if (!channel) throw new Error(`There is no channel “${value}” here.`);
      query.append('channel_id', channel.id);
    } else query.append(key, value);
    return ' ';
  });
  if (rest.trim()) query.set('content', rest.trim());
  return query;
}

export function Search({ guild }: { guild: Guild }) {
  const [text, setText] = useState('');
  const [found, setFound] = useState<Found | null>(null);
  const run = (query: URLSearchParams, before: Message[]) => attempt(async () => {
    query.set('offset', String(before.length));
    const answer = await api.get(`guilds/${guild.id}/messages/search?${query}`);
    setFound({ query, total: answer.total_results, messages: [...before, ...answer.messages.flat()] });
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    void attempt(async () => run(read(text, guild), []));
  };
  return (
    <aside class="members search" aria-label="Search">
      <form class="search-head" role="search" onSubmit={submit}>
        <input class="field" type="search" autofocus aria-label="Search messages" placeholder="Search, or from:alice has:link" title="from: mentions: in: has: pinned:" value={text} onInput={(event) => setText(event.currentTarget.value)} onKeyDown={(event) => { if (event.key === 'Escape' && !text) searching.value = false; }} />
        <IconButton name="close" label="Close the search" onClick={() => (searching.value = false)} />
      </form>
      {found && <p class="muted small" role="status">{found.total ? counted(found.total, 'message') : 'No message matches.'}</p>}
      <ul class="pins">
        {found?.messages.map((message) => {
          const channel = findChannel(message.channel_id);
          return (
            <li key={message.id}>
              <div class="small muted">#{line(channel?.name ?? message.channel_id)}</div>
              <div class="head-line"><Name user={message.author} guild={guild} /> <time dateTime={message.timestamp}>{stampText(new Date(message.timestamp))}</time></div>
              <div class="content"><Rich text={message.content || message.embeds[0]?.title || message.attachments[0]?.filename || '(no text)'} channel={channel} /></div>
              <button type="button" class="link-button" onClick={() => jumpTo(message)}>Jump</button>
            </li>
          );
        })}
      </ul>
      {found && found.messages.length < found.total && <button type="button" class="link-button" onClick={() => void run(found.query, found.messages)}>Show {Math.min(PAGE, found.total - found.messages.length)} more</button>}
    </aside>
  );
}

/** Returns whether the search is open in a guild. */
export function searchShown(guild: Guild | null): guild is Guild {
  return searching.value && guild !== null && guilds.value.includes(guild);
}
