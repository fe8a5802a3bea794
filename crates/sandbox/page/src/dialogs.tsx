// Dialogs in the middle of the page.

import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import * as api from './api';
import { Events } from './events';
import { IconButton } from './icons';
import { Invites } from './invites';
import { attempt, channel, goTo, guild, me, toast } from './store';
import { line } from './text';
import type { Channel, Message, Sku } from './types';

export function Dialog({ title, onClose, children, wide, locked }: { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean; locked?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current!;
    dialog.showModal();
    // What is to be filled in comes first, not the way out.
    dialog.querySelector<HTMLElement>('form input:not([type=file]), form textarea, form select')?.focus();
    return () => dialog.close();
  }, []);
  return (
    <dialog
      ref={ref} class={`dialog ${wide ? 'wide' : ''}`} aria-labelledby={id}
      onCancel={(event) => { event.preventDefault(); onClose(); }}
      onMouseDown={(event) => { if (!locked && event.target === ref.current) onClose(); }}
    >
      <div class="dialog-inner">
        <header><h2 id={id}>{title}</h2><IconButton name="close" label="Close" onClick={onClose} /></header>
        {children}
      </div>
    </dialog>
  );
}

type Open =
  | { kind: 'thread'; from: Message | null; parent: Channel }
  | { kind: 'poll' }
  | { kind: 'purchase'; sku: Sku }
  | { kind: 'events' }
  | { kind: 'invites' }
  | null;

export const dialog = signal<Open>(null);

export function threadFrom(message: Message): void {
  dialog.value = { kind: 'thread', from: message, parent: channel.value! };
}

export function Dialogs() {
  const open = dialog.value;
  if (open?.kind === 'thread') return <ThreadDialog from={open.from} parent={open.parent} />;
  if (open?.kind === 'poll') return <PollDialog />;
  if (open?.kind === 'purchase') return <PurchaseDialog sku={open.sku} />;
  if (open?.kind === 'events') return <Events />;
  if (open?.kind === 'invites') return <Invites />;
  return null;
}

function ThreadDialog({ from, parent }: { from: Message | null; parent: Channel }) {
  const forum = parent.type === 15 || parent.type === 16;
  const [name, setName] = useState('');
  const [content, setContent] = useState('');
  const [isPrivate, setPrivate] = useState(false);
  const [tags, setTags] = useState<string[]>([]);
  const create = async (event: Event): Promise<void> => {
    event.preventDefault();
    const thread = await attempt(() =>
      api.post('threads', {
        as: me.value!.id, channel: parent.id, name, message: from?.id, private: isPrivate, tags, content: content || undefined,
      }),
    );
    if (!thread) return;
    dialog.value = null;
    // It is in the next change of the guild, which is on its way.
    let tries = 0;
    const open = (): void => {
      goTo(thread.id);
      if (channel.value?.id !== thread.id && (tries += 1) < 40) setTimeout(open, 50);
    };
    open();
  };
  return (
    <Dialog title={forum ? 'New Post' : 'New Thread'} onClose={() => (dialog.value = null)}>
      <form onSubmit={(event) => void create(event)}>
        <label class="label">{forum ? 'Title' : 'Thread name'}<input class="field" required maxLength={100} value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>
        {!from && <label class="label">Message<textarea class="field" rows={4} required={forum} maxLength={2000} value={content} onInput={(event) => setContent(event.currentTarget.value)} /></label>}
        {forum && parent.available_tags && parent.available_tags.length > 0 && (
          <fieldset class="chips">
            <legend class="label">Tags</legend>
            {parent.available_tags.map((tag) => (
              <label class="chip" key={tag.id}>
                <input type="checkbox" checked={tags.includes(tag.id)} onChange={(event) => setTags(event.currentTarget.checked ? [...tags, tag.id] : tags.filter((one) => one !== tag.id))} /> {line(tag.name)}
              </label>
            ))}
          </fieldset>
        )}
        {!forum && !from && <label class="check"><input type="checkbox" checked={isPrivate} onChange={(event) => setPrivate(event.currentTarget.checked)} /> Private: only people who are invited see it</label>}
        <footer><button type="button" class="button secondary" onClick={() => (dialog.value = null)}>Cancel</button><button class="button primary">{forum ? 'Post' : 'Create Thread'}</button></footer>
      </form>
    </Dialog>
  );
}

function PollDialog() {
  const here = channel.value!;
  const [question, setQuestion] = useState('');
  const [answers, setAnswers] = useState(['', '']);
  const [hours, setHours] = useState(24);
  const [several, setSeveral] = useState(false);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    const poll = {
      question: { text: question },
      answers: answers.filter((text) => text.trim()).map((text) => ({ poll_media: { text } })),
      duration: hours,
      allow_multiselect: several,
    };
    if (await attempt(() => api.post('messages', { as: me.value!.id, channel: here.id, poll }))) dialog.value = null;
  };
  return (
    <Dialog title="Create a Poll" onClose={() => (dialog.value = null)}>
      <form onSubmit={(event) => void send(event)}>
        <label class="label">Question<input class="field" required maxLength={300} value={question} onInput={(event) => setQuestion(event.currentTarget.value)} /></label>
        {answers.map((answer, index) => (
          <label class="label" key={index}>Answer {index + 1}<input class="field" required={index < 2} maxLength={55} value={answer} onInput={(event) => setAnswers(answers.map((one, at) => (at === index ? event.currentTarget.value : one)))} /></label>
        ))}
        {answers.length < 10 && <button type="button" class="link-button" onClick={() => setAnswers([...answers, ''])}>Add another answer</button>}
        <label class="label">Hours<input class="field" type="number" min={1} max={768} value={hours} onInput={(event) => setHours(Number(event.currentTarget.value))} /></label>
        <label class="check"><input type="checkbox" checked={several} onChange={(event) => setSeveral(event.currentTarget.checked)} /> Allow multiple answers</label>
        <footer><button type="button" class="button secondary" onClick={() => (dialog.value = null)}>Cancel</button><button class="button primary">Post</button></footer>
      </form>
    </Dialog>
  );
}

/** A subscription of a guild is bought for the one that is open. */
const FOR_GUILD = 1 << 7;

function PurchaseDialog({ sku }: { sku: Sku }) {
  const here = guild.value;
  const isForGuild = (sku.flags & FOR_GUILD) !== 0;
  const close = (): void => void (dialog.value = null);
  const buy = async (): Promise<void> => {
    const done = await attempt(() => api.post('purchases', { as: me.value!.id, sku: sku.id, guild: isForGuild ? here?.id : undefined }));
    if (!done) return;
    toast.value = { text: `You have bought ${sku.name}.`, bad: false };
    close();
  };
  return (
    <Dialog title={`Buy ${line(sku.name)}`} onClose={close}>
      <p>{isForGuild ? `A subscription for ${line(here?.name ?? 'a server')}.` : 'For your account.'} <span class="muted">The sandbox takes no money.</span></p>
      <footer><button type="button" class="button secondary" onClick={close}>Cancel</button><button type="button" class="button primary" disabled={isForGuild && !here} onClick={() => void buy()}>Buy</button></footer>
    </Dialog>
  );
}
