// Polls.

import { useState } from 'preact/hooks';
import * as api from './api';
import { EmojiView } from './emoji';
import { attempt, me } from './store';
import { line, timestamp } from './text';
import type { Message, Poll } from './types';

export function PollView({ message, poll }: { message: Message; poll: Poll }) {
  const counts = new Map(poll.results?.answer_counts.map((one) => [one.id, one]));
  const mine = poll.answers.filter((answer) => counts.get(answer.answer_id)?.me_voted).map((answer) => answer.answer_id);
  const [picked, pick] = useState<number[]>([]);
  const [showing, show] = useState(false);
  const total = [...counts.values()].reduce((sum, one) => sum + one.count, 0);
  const over = poll.results?.is_finalized === true;
  const results = over || mine.length > 0 || showing;
  const vote = (answers: number[]) => attempt(() => api.put(`messages/${message.id}/votes`, { as: me.value!.id, answers: answers.map(String) }));
  const toggle = (id: number): void => {
    if (!poll.allow_multiselect) return pick([id]);
    pick(picked.includes(id) ? picked.filter((one) => one !== id) : [...picked, id]);
  };
  return (
    <div class="poll">
      <div class="poll-question">{line(poll.question.text ?? '')}</div>
      <div class="muted">{results ? (over ? 'Final results' : 'Results so far') : poll.allow_multiselect ? 'Select one or more answers' : 'Select one answer'}</div>
      <div class="poll-answers" role={poll.allow_multiselect ? 'group' : 'radiogroup'} aria-label={line(poll.question.text ?? 'Poll')}>
        {poll.answers.map((answer) => {
          const count = counts.get(answer.answer_id)?.count ?? 0;
          const share = total ? Math.round((count / total) * 100) : 0;
          const text = line(answer.poll_media.text ?? '');
          const emoji = answer.poll_media.emoji && <EmojiView emoji={answer.poll_media.emoji} />;
          if (results) {
            return (
              <div class={`poll-answer result ${mine.includes(answer.answer_id) ? 'mine' : ''}`} key={answer.answer_id}>
                <span class="poll-bar" style={{ width: `${share}%` }} />
                {emoji}<span class="poll-text">{text}</span>
                <span class="poll-count">{count} {count === 1 ? 'vote' : 'votes'} <b>{share}%</b></span>
              </div>
            );
          }
          const on = picked.includes(answer.answer_id);
          return (
            <button type="button" key={answer.answer_id} class="poll-answer" role={poll.allow_multiselect ? 'checkbox' : 'radio'} aria-checked={on} onClick={() => toggle(answer.answer_id)}>
              {emoji}<span class="poll-text">{text}</span>
              <span class={poll.allow_multiselect ? `tick ${on ? 'on' : ''}` : `radio ${on ? 'on' : ''}`} />
            </button>
          );
        })}
      </div>
      <div class="poll-foot">
        <span class="muted">{total} {total === 1 ? 'vote' : 'votes'} • {over || !poll.expiry ? 'Poll closed' : `closes ${timestamp(Date.parse(poll.expiry) / 1000, 'R')}`}</span>
        {!over && mine.length > 0 && <button type="button" class="link-button" onClick={() => { pick([]); void vote([]); }}>Remove vote</button>}
        {!over && mine.length === 0 && <button type="button" class="link-button" onClick={() => show(!showing)}>{showing ? 'Go back to vote' : 'Show results'}</button>}
        {!results && <button type="button" class="button primary" disabled={!picked.length} onClick={() => void vote(picked)}>Vote</button>}
        {!over && message.author.id === me.value!.id && <button type="button" class="link-button" onClick={() => void attempt(() => api.post(`messages/${message.id}/poll/expire`, { as: me.value!.id }))}>End poll</button>}
      </div>
    </div>
  );
}
