// Where messages are written and commands are chosen.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import * as api from './api';
import { CommandForm } from './command-form';
import { draft as begin, entries, find, load, type Draft, type Entry } from './commands';
import { dialog } from './dialogs';
import { Avatar, Icon, IconButton } from './icons';
import { maySend, may } from './permissions';
import { EMOJIS, openPicker } from './picker';
import { attempt, editing, fail, guildOf, history, me, nameOf, replyTo, userOf } from './store';
import { channels as channelItems, matching, roles as roleItems, users as userItems, ItemView, type Item } from './select';
import { line, readBase64, size } from './text';
import type { Channel } from './types';

export function Composer({ channel }: { channel: Channel }) {
  if (!maySend(channel) && !may(channel, 'USE_APPLICATION_COMMANDS')) {
    return <div class="composer"><div class="composer-none">You do not have permission to send messages in this channel.</div></div>;
  }
  if (channel.thread_metadata?.locked && !may(channel, 'MANAGE_THREADS')) {
    return <div class="composer"><div class="composer-none">This thread is locked.</div></div>;
  }
  return <Box key={`${me.value!.id}/${channel.id}`} channel={channel} />;
}

/** What is typed in other channels, until it is sent. */
const drafts = new Map<string, string>();

function Box({ channel }: { channel: Channel }) {
  const key = `${me.value!.id}/${channel.id}`;
  const [text, setTextState] = useState(drafts.get(key) ?? '');
  const [files, setFiles] = useState<File[]>([]);
  const [all, setAll] = useState<Entry[] | null>(null);
  const [at, setAt] = useState(0);
  const [command, setCommand] = useState<Draft | null>(null);
  const [hints, setHints] = useState<{ from: number; items: Item[] } | null>(null);
  const box = useRef<HTMLTextAreaElement>(null);
  const choose = useRef<HTMLInputElement>(null);
  const typedAt = useRef(0);
  const guild = guildOf(channel);
  const slash = text.startsWith('/') && !text.includes('\n') ? text.slice(1) : null;
  const found = slash !== null && all && !command ? find(all, slash).slice(0, 50) : null;

  const setText = (next: string): void => {
    drafts.set(key, next);
    setTextState(next);
  };

  useEffect(() => {
    if (slash === null) {
      setAll(null);
      return;
    }
    let stale = false;
    if (!all) load(channel.id).then((commands) => { if (!stale) setAll(entries(commands)); }, fail);
    return () => { stale = true; };
  }, [slash === null]);

  useEffect(() => {
    const field = box.current;
    if (!field) return;
    field.style.height = 'auto';
    field.style.height = `${Math.min(field.scrollHeight, innerHeight / 2)}px`;
  }, [text, command]);

  useLayoutEffect(() => { if (!matchMedia('(pointer: coarse)').matches) box.current?.focus(); }, [channel.id, command === null, replyTo.value]);

  // Files can be dropped anywhere, and a key that is pressed anywhere else begins to write.
  useEffect(() => {
    const over = (event: DragEvent): void => { if (event.dataTransfer?.types.includes('Files')) event.preventDefault(); };
    const drop = (event: DragEvent): void => {
      if (!event.dataTransfer?.files.length || event.defaultPrevented) return;
      event.preventDefault();
      setFiles((now) => [...now, ...event.dataTransfer!.files]);
    };
    document.addEventListener('dragover', over);
    document.addEventListener('drop', drop);
    return () => {
      document.removeEventListener('dragover', over);
      document.removeEventListener('drop', drop);
    };
  }, []);

  const suggest = (value: string, caret: number): void => {
    const match = /(?:^|\s)([@#:])([\w.-]{0,32})$/u.exec(value.slice(0, caret));
    if (!match) return setHints(null);
    const word = match[2]!.toLowerCase();
    const from = caret - word.length - 1;
    let items: Item[] = [];
    if (match[1] === '@') {
      items = [...userItems(guild, channel), ...roleItems(guild).filter((role) => role.label !== '@everyone')];
      items = items.map((item) => ({ ...item, value: item.kind === 'role' ? `<@&${item.value}>` : `<@${item.value}>` }));
      items.push({ label: 'everyone', value: '@everyone' }, { label: 'here', value: '@here' });
    } else if (match[1] === '#') items = channelItems(guild).map((item) => ({ ...item, value: `<#${item.value}>` }));
    else if (word.length > 1) {
      items = [
        ...(guild?.emojis ?? []).map((emoji) => ({ label: emoji.name, value: `<${emoji.animated ? 'a' : ''}:${emoji.name}:${emoji.id}>`, emoji })),
        ...EMOJIS.map(([emoji, name]) => ({ label: name, value: emoji, emoji: { name: emoji } })),
      ];
    }
    items = matching(items, word).slice(0, 8);
    setAt(0);
    setHints(items.length ? { from, items } : null);
  };

  const accept = (item: Item): void => {
    const caret = box.current!.selectionStart;
    const shown = item.kind === 'user' || item.kind === 'role' || item.kind === 'channel' || item.value.startsWith('<');
    const next = `${text.slice(0, hints!.from)}${shown ? item.value : item.value} ${text.slice(caret)}`;
    setText(next);
    setHints(null);
    box.current!.focus();
  };

  const pick = (entry: Entry): void => {
    setCommand(begin(entry));
    setText('');
  };

  const send = async (): Promise<void> => {
    const content = text.trim();
    if (!content && !files.length) return;
    const reply = replyTo.value;
    setText('');
    setFiles([]);
    replyTo.value = null;
    const sent: Record<string, { base64: string; filename: string }> = {};
    for (const [index, file] of files.entries()) sent[`${index}/${file.name}`] = { base64: await readBase64(file), filename: file.name };
    const done = await attempt(() =>
      api.post('messages', { as: me.value!.id, channel: channel.id, content, reply_to: reply?.id, files: sent }),
    );
    // What was refused is not lost.
    if (!done) {
      setText(content);
      setFiles(files);
      replyTo.value = reply;
    }
  };

  const keyDown = (event: KeyboardEvent): void => {
    const list = hints?.items ?? found;
    if (list?.length && ['ArrowDown', 'ArrowUp'].includes(event.key)) {
      event.preventDefault();
      setAt((at + (event.key === 'ArrowDown' ? 1 : -1) + list.length) % list.length);
    } else if (list?.length && (event.key === 'Tab' || event.key === 'Enter') && !event.shiftKey) {
      event.preventDefault();
      if (hints) accept(hints.items[at]!);
      else pick(found![at]!);
    } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      void send();
    } else if (event.key === 'Escape') {
      if (hints) setHints(null);
      else if (replyTo.value) replyTo.value = null;
    } else if (event.key === 'ArrowUp' && !text) {
      const last = history(channel.id).messages.findLast((message) => message.author.id === me.value!.id && !message.local);
      if (last) {
        event.preventDefault();
        editing.value = last.id;
      }
    }
  };

  const input = (value: string): void => {
    setText(value);
    setAt(0);
    suggest(value, box.current!.selectionStart);
    const now = Date.now();
    if (value && !value.startsWith('/') && now - typedAt.current > 8000 && maySend(channel)) {
      typedAt.current = now;
      void api.post('typing', { as: me.value!.id, channel: channel.id }).catch(() => {});
    }
  };

  if (command) {
    return (
      <div class="composer">
        <CommandForm channel={channel} draft={command} setDraft={setCommand} onEnd={() => setCommand(null)} />
      </div>
    );
  }
  const name = channel.guild_id ? `#${channel.name}` : channel.recipients?.map((user) => nameOf(user, null)).join(', ') ?? '';
  return (
    <div class="composer">
      {found && <CommandList found={found} at={at} setAt={setAt} pick={pick} typed={slash!} />}
      {hints && (
        <div class="suggestions" role="listbox" id="suggestions" tabIndex={0} aria-label="Suggestions">
          {hints.items.map((item, index) => (
            <div key={item.value} role="option" id={`suggestion-${index}`} aria-selected={index === at} class={`suggestion ${index === at ? 'at' : ''}`} onMouseMove={() => setAt(index)} onMouseDown={(event) => { event.preventDefault(); accept(item); }}>
              <ItemView item={item} />
            </div>
          ))}
        </div>
      )}
      {replyTo.value && (
        <div class="replying">
          <span>Replying to <b>{line(nameOf(replyTo.value.author, guild))}</b></span>
          <IconButton name="close" label="Cancel reply" size={16} onClick={() => (replyTo.value = null)} />
        </div>
      )}
      {files.length > 0 && (
        <ul class="uploads" aria-label="Files to send">
          {files.map((file, index) => (
            <li key={index}>
              <Icon name="file" size={32} /> <span class="upload-name">{line(file.name)}</span> <small>{size(file.size)}</small>
              <IconButton name="trash" label={`Remove ${file.name}`} size={18} onClick={() => setFiles(files.filter((_, at) => at !== index))} />
            </li>
          ))}
        </ul>
      )}
      <div class="composer-box">
        <IconButton name="plus" label="Attach files" onClick={() => choose.current!.click()} disabled={!may(channel, 'ATTACH_FILES')} />
        <input ref={choose} type="file" multiple hidden onChange={(event) => { setFiles([...files, ...(event.currentTarget.files ?? [])]); event.currentTarget.value = ''; }} />
        <textarea
          ref={box} rows={1} value={text} placeholder={`Message ${line(name)}`} aria-label={`Message ${line(name)}`} maxLength={4000}
          aria-controls={hints ? 'suggestions' : found ? 'command-list' : undefined} aria-autocomplete="list"
          aria-activedescendant={hints ? `suggestion-${at}` : found?.length ? `command-${at}` : undefined}
          onInput={(event) => input(event.currentTarget.value)} onKeyDown={keyDown}
          onPaste={(event) => { const pasted = event.clipboardData?.files; if (pasted?.length) { event.preventDefault(); setFiles([...files, ...pasted]); } }}
        />
        {may(channel, 'SEND_POLLS') && channel.type !== 1 && <IconButton name="poll" label="Create a poll" onClick={() => (dialog.value = { kind: 'poll' })} />}
        <IconButton name="smile" label="Emoji" onClick={(event) => openPicker(event, (emoji) => { setText(`${text}${emoji.includes(':') ? `<:${emoji}>` : emoji}`); box.current?.focus(); })} />
      </div>
    </div>
  );
}

function CommandList({ found, at, setAt, pick, typed }: { found: Entry[]; at: number; setAt: (at: number) => void; pick: (entry: Entry) => void; typed: string }) {
  useEffect(() => document.getElementById(`command-${at}`)?.scrollIntoView({ block: 'nearest' }), [at]);
  return (
    <div class="suggestions commands" role="listbox" id="command-list" tabIndex={0} aria-label="Commands">
      {found.length === 0 && <div class="select-empty">No command here matches “/{line(typed)}”. It is sent as text.</div>}
      {found.map((entry, index) => {
        const bot = userOf(entry.command.application_id);
        return (
          <div key={`${entry.command.id} ${entry.title}`} id={`command-${index}`} role="option" aria-selected={index === at} class={`suggestion ${index === at ? 'at' : ''}`} onMouseMove={() => setAt(index)} onMouseDown={(event) => { event.preventDefault(); pick(entry); }}>
            <Avatar id={entry.command.application_id} name={bot?.username ?? '?'} size={32} />
            <span class="item-text">
              <span><b>/{line(entry.title)}</b> {entry.options.map((option) => <span class={`option-name ${option.required ? '' : 'optional'}`} key={option.name}>{line(option.name_localized ?? option.name)}</span>)}</span>
              <small>{line(entry.description)}</small>
            </span>
            <small class="muted">{line(bot?.username ?? '')}</small>
          </div>
        );
      })}
    </div>
  );
}

