// One message.

import { memo } from './memo';
import { useEffect, useRef, useState } from 'preact/hooks';
import * as api from './api';
import { Components } from './components';
import { generationOf } from './reloads';
import { EmbedView } from './embed';
import { EmojiView, emojiText } from './emoji';
import { Avatar, Icon, IconButton } from './icons';
import { Attachments } from './media';
import { openMessageMenu, openProfile, openUserMenu } from './menus';
import { may } from './permissions';
import { openPicker } from './picker';
import { PollView } from './poll';
import { Name, Rich } from './rich';
import { system } from './system';
import {
  attempt, COMPONENTS_V2, channel as current, dismiss, editing, EPHEMERAL, findChannel, flooded, goTo, guildOf, jump, LOADING, me,
  nameOf, replyTo, userOf,
} from './store';
import { counted, fullText, line, stampText, timeText } from './text';
import type { Channel, Guild, Message } from './types';

const SYSTEM = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 18, 21, 22, 24, 25, 26, 27, 28, 29, 31, 32, 36, 37, 38, 39, 44, 46]);

interface Props {
  message: Message;
  /** Whether it follows one of the same author, without a head of its own. */
  grouped: boolean;
  channel: Channel;
  guild: Guild | null;
}

export const MessageRow = memo(function MessageRow({ message, grouped, channel, guild }: Props) {
  const time = new Date(message.timestamp);
  if (SYSTEM.has(message.type)) {
    return (
      <li class="message system" id={`message-${message.id}`} data-id={message.id} onContextMenu={(event) => void openMessageMenu(event, message)}>
        <span class="system-icon"><Icon name={message.type === 6 ? 'pin' : message.type === 18 || message.type === 21 ? 'thread' : message.type === 46 ? 'poll' : 'reply'} size={18} /></span>
        <div class="body">
          {system(message, guild)} <time dateTime={message.timestamp} title={fullText(time)}>{stampText(time)}</time>
          <Reactions message={message} channel={channel} />
        </div>
      </li>
    );
  }
  const alone = (message.flags & EPHEMERAL) !== 0;
  const mentioned = message.mention_everyone || message.mentions.some((user) => user.id === me.value?.id);
  const user = userOf(message.author.id) ?? message.author;
  const bot = message.author.bot === true;
  // In a flood a row has its buttons only when it is pointed at.
  const [pointed, setPointed] = useState(!flooded.peek());
  const classes = ['message', grouped ? 'grouped' : 'head', alone ? 'ephemeral' : '', mentioned ? 'mentioned' : '', jump.value === message.id ? 'jumped' : ''];
  return (
    <li class={classes.join(' ')} id={`message-${message.id}`} data-id={message.id} onMouseEnter={pointed ? undefined : () => setPointed(true)} onContextMenu={(event) => void openMessageMenu(event, message)}>
      <Above message={message} guild={guild} channel={channel} />
      {grouped ? (
        <time class="side-time" dateTime={message.timestamp} title={fullText(time)}>{timeText(time)}</time>
      ) : (
        <button type="button" class="avatar-button" aria-label={`Profile of ${line(nameOf(user, guild))}`} onClick={(event) => openProfile(event, user)} onContextMenu={(event) => { event.stopPropagation(); void openUserMenu(event, user); }}>
          <Avatar id={user.id} name={nameOf(user, guild)} hash={message.webhook_id ? message.author.avatar : undefined} />
        </button>
      )}
      <div class="body">
        {!grouped && (
          <div class="head-line">
            <Name user={user} guild={guild} onClick={(event) => openProfile(event, user)} />
            {bot && <span class="tag">{message.webhook_id && !message.application_id ? 'WEBHOOK' : 'APP'}</span>}
            <time dateTime={message.timestamp} title={fullText(time)}>{stampText(time)}</time>
            <Generation message={message} />
          </div>
        )}
        <Content message={message} channel={channel} />
        <Reactions message={message} channel={channel} />
        {message.thread && <ThreadBox message={message} />}
        {alone && (
          <div class="only-you">
            <Icon name="lock" size={14} /> Only you can see this •{' '}
            <button type="button" class="link-button" onClick={() => dismiss(message.channel_id, message.id)}>Dismiss message</button>
          </div>
        )}
      </div>
      {!message.local && (pointed || !flooded.value) && <Hover message={message} channel={channel} />}
    </li>
  );
});

function Generation({ message }: { message: Message }) {
  const wrote = generationOf(message);
  if (!wrote) return null;
  const name = line(wrote.plugin);
  return <span class="generation" title={wrote.generation === null ? `Written by ${name}` : `Written by generation ${wrote.generation} of ${name}`}>{name}{wrote.generation !== null && <b> g{wrote.generation}</b>}</span>;
}

function Above({ message, guild, channel }: { message: Message; guild: Guild | null; channel: Channel }) {
  const metadata = message.interaction_metadata;
  if (message.type === 19 && !metadata?.interacted_message_id) return <Reply message={message} guild={guild} channel={channel} />;
  if (!metadata || message.type === 19) return message.type === 19 ? <Reply message={message} guild={guild} channel={channel} /> : null;
  const name = metadata.name ?? metadata.triggering_interaction_metadata?.name;
  if (!name) return null;
  const user = userOf(metadata.user.id) ?? metadata.user;
  return (
    <div class="above">
      <Avatar id={user.id} name={nameOf(user, guild)} size={16} />
      <Name user={user} guild={guild} onClick={(event) => openProfile(event, user)} /> used <span class="command-name">{metadata.command_type && metadata.command_type > 1 ? '' : '/'}{line(name)}</span>
    </div>
  );
}

function Reply({ message, guild, channel }: { message: Message; guild: Guild | null; channel: Channel }) {
  const to = message.referenced_message;
  const id = message.message_reference?.message_id;
  if (!to) return <div class="above muted"><Icon name="reply" size={14} /> {id ? 'Original message was deleted' : 'Message could not be loaded'}</div>;
  const text = line(to.content);
  return (
    <div class="above">
      <Avatar id={to.author.id} name={nameOf(to.author, guild)} size={16} />
      <Name user={to.author} guild={guild} />
      <button type="button" class="reply-text" onClick={() => jumpTo(to)}>
        {text ? <Rich text={text.slice(0, 200)} channel={channel} rules={{ blocks: false, links: false }} /> : <em>Click to see attachment</em>}
      </button>
    </div>
  );
}

export function jumpTo(message: Pick<Message, 'id' | 'channel_id'>): void {
  if (current.value?.id !== message.channel_id) goTo(message.channel_id);
  jump.value = message.id;
}

function Content({ message, channel }: { message: Message; channel: Channel }) {
  if (message.local) {
    return (
      <div class={message.local.kind === 'failed' ? 'failed' : 'thinking'} role={message.local.kind === 'failed' ? 'alert' : 'status'}>
        {line(message.local.text)}
        {message.local.hint && <small>{line(message.local.hint)}</small>}
      </div>
    );
  }
  if (message.flags & LOADING) {
    return <div class="thinking" role="status"><span class="dots"><i /><i /><i /></span> {line(nameOf(message.author, guildOf(channel)))} is thinking…</div>;
  }
  if (editing.value === message.id) return <EditBox message={message} />;
  const snapshot = message.message_snapshots?.[0]?.message;
  const edited = message.edited_timestamp && <time class="edited" dateTime={message.edited_timestamp} title={fullText(new Date(message.edited_timestamp))}>(edited)</time>;
  return (
    <>
      {snapshot && (
        <div class="forward">
          <div class="muted"><Icon name="reply" size={14} /> Forwarded</div>
          <div class="content"><Rich text={snapshot.content ?? ''} channel={channel} /></div>
          <Attachments files={snapshot.attachments ?? []} />
          {snapshot.embeds?.map((embed, index) => <EmbedView key={index} embed={embed} channel={channel} />)}
        </div>
      )}
      {message.content && <div class="content"><Rich text={message.content} channel={channel} jumbo /> {edited}</div>}
      {message.poll && <PollView message={message} poll={message.poll} />}
      {!(message.flags & COMPONENTS_V2) && <Attachments files={message.attachments} />}
      {message.embeds.map((embed, index) => <EmbedView key={index} embed={embed} channel={channel} />)}
      {message.sticker_items?.map((sticker) => (
        sticker.format_type === 3 ? <div class="muted" key={sticker.id}>Sticker: {line(sticker.name)}</div> : <img key={sticker.id} class="sticker" src={`/stickers/${sticker.id}.${sticker.format_type === 4 ? 'gif' : 'png'}`} alt={line(sticker.name)} width={160} height={160} />
      ))}
      <Components message={message} />
      {!message.content && edited}
    </>
  );
}

function EditBox({ message }: { message: Message }) {
  const [text, setText] = useState(message.content);
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    box.current!.focus();
    box.current!.selectionStart = text.length;
  }, []);
  const save = async (): Promise<void> => {
    if (!text.trim()) return;
    const done = await attempt(() => api.patch(`messages/${message.id}`, { as: me.value!.id, content: text }));
    if (done) editing.value = null;
  };
  return (
    <div class="edit">
      <textarea
        ref={box} value={text} aria-label="Edit message" rows={Math.min(10, text.split('\n').length)} onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.shiftKey) { event.preventDefault(); void save(); }
          if (event.key === 'Escape') { event.stopPropagation(); editing.value = null; }
        }}
      />
      <small>escape to <button type="button" class="link-button" onClick={() => (editing.value = null)}>cancel</button> • enter to <button type="button" class="link-button" onClick={() => void save()}>save</button></small>
    </div>
  );
}

function Reactions({ message, channel }: { message: Message; channel: Channel }) {
  if (!message.reactions?.length) return null;
  const mayAdd = may(channel, 'ADD_REACTIONS');
  return (
    <div class="reactions">
      {message.reactions.map((reaction) => (
        <button
          type="button" key={emojiText(reaction.emoji)} class={`reaction ${reaction.me ? 'me' : ''}`} aria-pressed={reaction.me} aria-label={`${line(reaction.emoji.name ?? '')}, ${reaction.count}`}
          onClick={() => void react(message, emojiText(reaction.emoji), reaction.me)}
        >
          <EmojiView emoji={reaction.emoji} /> <span>{reaction.count}</span>
        </button>
      ))}
      {mayAdd && <IconButton name="smile" label="Add reaction" size={18} kind="reaction" onClick={(event) => openPicker(event, (emoji) => void react(message, emoji, false))} />}
    </div>
  );
}

export function react(message: Message, emoji: string, remove: boolean): Promise<unknown> {
  const path = `messages/${message.id}/reactions`;
  const body = { as: me.value!.id, emoji };
  return attempt(() => (remove ? api.del(path, body) : api.post(path, body)));
}

function ThreadBox({ message }: { message: Message }) {
  const thread = findChannel(message.thread!.id) ?? message.thread!;
  return (
    <button type="button" class="thread-box" onClick={() => goTo(thread.id)}>
      <strong>{line(thread.name)}</strong> <span>{counted(thread.message_count ?? 0, 'message')} ›</span>
    </button>
  );
}

function Hover({ message, channel }: { message: Message; channel: Channel }) {
  const own = message.author.id === me.value?.id;
  const alone = (message.flags & EPHEMERAL) !== 0;
  return (
    <div class="hover" role="group" aria-label="Message actions">
      {!alone && may(channel, 'ADD_REACTIONS') && <IconButton name="smile" label="Add reaction" onClick={(event) => openPicker(event, (emoji) => void react(message, emoji, false))} />}
      {own && !(message.flags & COMPONENTS_V2) && <IconButton name="edit" label="Edit" onClick={() => (editing.value = message.id)} />}
      {!alone && <IconButton name="reply" label="Reply" onClick={() => (replyTo.value = message)} />}
      <IconButton name="more" label="More" onClick={(event) => void openMessageMenu(event, message)} />
    </div>
  );
}
