// System messages in words.

import type { ComponentChild } from 'preact';
import { Name } from './rich';
import { openProfile } from './menus';
import { goTo, userOf } from './store';
import { line } from './text';
import type { Guild, Message } from './types';

export function system(message: Message, guild: Guild | null): ComponentChild {
  const user = userOf(message.author.id) ?? message.author;
  const who = <Name user={user} guild={guild} onClick={(event) => openProfile(event, user)} />;
  const target = message.message_reference?.channel_id;
  switch (message.type) {
    case 1:
      return <>{who} added {message.mentions.map((other) => <Name user={other} guild={guild} />)} to the group.</>;
    case 2:
      return <>{who} removed {message.mentions.map((other) => <Name user={other} guild={guild} />)} from the group.</>;
    case 4:
      return <>{who} changed the name: <strong>{line(message.content)}</strong></>;
    case 6:
      return <>{who} pinned a message to this channel.</>;
    case 7:
      return <>{who} joined the server.</>;
    case 8:
    case 9:
    case 10:
    case 11:
      return <>{who} just boosted the server{message.type > 8 ? `, which has reached level ${message.type - 8}` : ''}!</>;
    case 12:
      return <>{who} has added <strong>{line(message.content)}</strong> to this channel. Its most important updates will show up here.</>;
    case 18:
      return (
        <>
          {who} started a thread: {target ? <button type="button" class="link-button" onClick={() => goTo(target)}>{line(message.content)}</button> : line(message.content)}
        </>
      );
    case 21:
      return <>This thread was started from a message.</>;
    case 27:
      return <>{who} started the stage: <strong>{line(message.content)}</strong></>;
    case 28:
      return <>{who} ended the stage: <strong>{line(message.content)}</strong></>;
    case 29:
      return <>{who} is now a speaker.</>;
    case 31:
      return <>{who} changed the topic of the stage: <strong>{line(message.content)}</strong></>;
    case 46: {
      const field = (name: string): string => message.embeds[0]?.fields?.find((one) => one.name === name)?.value ?? '';
      const winner = field('victor_answer_text');
      return <>{who}’s poll <strong>{line(field('poll_question_text'))}</strong> has closed{winner ? <>: <strong>{line(winner)}</strong> won</> : ''}.</>;
    }
    default:
      return <>{who} {line(message.content) || `sent a system message of type ${message.type}`}</>;
  }
}
