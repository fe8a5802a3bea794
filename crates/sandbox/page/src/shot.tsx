// One message, or a channel, and nothing else: for pictures.

import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import * as api from './api';
import { Beginning, follows } from './list';
import { MessageRow } from './message';
import { findChannel, guildOf, me } from './store';
import { line } from './text';
import type { Message } from './types';

export const shot = signal<{ id: string; whole: boolean } | null>(null);

export function Shot() {
  const { id, whole } = shot.value!;
  const [messages, setMessages] = useState<Message[] | null>(null);
  const [error, setError] = useState('');
  useEffect(() => {
    const as = me.value!.id;
    const load = async (): Promise<Message[]> => (whole ? api.get('messages', { as, channel: id, limit: '50' }) : [await api.get(`messages/${id}`, { as })]);
    load().then(setMessages, (failure: Error) => setError(failure.message));
  }, []);
  if (error) return <p role="alert" data-ready="error">{line(error)}</p>;
  if (!messages) return <p role="status">Loading…</p>;
  const channel = findChannel(whole ? id : messages[0]?.channel_id);
  if (!channel) return <p role="alert" data-ready="error">The page does not show the channel of this picture.</p>;
  return (
    <ol class="messages shot" data-ready="yes">
      {!messages.length && <Beginning channel={channel} guild={guildOf(channel)} />}
      {messages.map((message, at) => <MessageRow key={message.id} message={message} grouped={follows(messages[at - 1], message)} channel={channel} guild={guildOf(channel)} />)}
    </ol>
  );
}
