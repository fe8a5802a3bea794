// What the user does with bots: commands, components and modals. Answers arrive in the stream; what has no message, such as
// a failure, is shown by the page itself.

import { signal } from '@preact/signals';
import * as api from './api';
import { dialog } from './dialogs';
import { addLocal, attempt, dismiss, me, modal, toast, userOf } from './store';
import type { Answer, Command, Id, Message } from './types';

export interface Given {
  name: string;
  value?: unknown;
  options?: Given[];
}

export type Files = Record<string, { base64: string; filename: string }>;

/** Components that are in use, by message and custom id; and messages whose component failed. */
export const busy = signal<Set<string>>(new Set());
export const failed = signal<Map<Id, string>>(new Map());

const NO_ANSWER = 'The application did not respond';

function opened(answer: Answer, application: Id | null): void {
  if (answer.modal) modal.value = { modal: answer.modal, interaction: answer.interaction, application };
  if (answer.purchase) dialog.value = { kind: 'purchase', sku: answer.purchase };
  if (answer.activity) toast.value = { text: `An Activity was launched: ${answer.activity}`, bad: false };
}

export async function runCommand(
  channel: Id,
  command: Command,
  path: string[],
  options: Given[],
  files: Files,
  target?: Id,
): Promise<void> {
  const user = me.value!;
  const bot = userOf(command.application_id);
  const title = [command.name_localized ?? command.name, ...path].join(' ');
  const author = bot ?? { ...user, id: command.application_id, bot: true };
  const metadata = {
    id: '0', type: 2, user, name: title, command_type: command.type,
  };
  const local = addLocal(channel, { author, interaction_metadata: metadata, local: { kind: 'sending', text: 'Sending command…' } });
  let nested = options;
  for (const name of path.slice().reverse()) nested = [{ name, options: nested }];
  const failure = (text: string, hint?: string): void => {
    addLocal(channel, { author, interaction_metadata: metadata, local: { kind: 'failed', text, hint } });
  };
  try {
    const answer: Answer = await api.post('interactions/command', {
      as: user.id,
      channel,
      name: command.name,
      bot: command.application_id,
      ...(target ? { target } : { options: nested, files }),
      until_acknowledged: true,
    });
    dismiss(channel, local);
    if (answer.error) failure(answer.error, answer.hint);
    opened(answer, command.application_id);
  } catch (error) {
    dismiss(channel, local);
    failure((error as Error).message);
  }
}

export async function complete(
  channel: Id,
  command: Command,
  path: string[],
  options: Given[],
  focused: string,
): Promise<Answer> {
  let nested = options;
  for (const name of path.slice().reverse()) nested = [{ name, options: nested }];
  return api.post('interactions/autocomplete', {
    as: me.value!.id,
    channel,
    name: command.name,
    bot: command.application_id,
    options: nested,
    focused,
  });
}

export async function useComponent(message: Message, customId: string, values: string[] = []): Promise<void> {
  const key = `${message.id}/${customId}`;
  if (busy.value.has(key)) return;
  busy.value = new Set(busy.value).add(key);
  const before = new Map(failed.value);
  before.delete(message.id);
  failed.value = before;
  const fail = (text: string): void => {
    failed.value = new Map(failed.value).set(message.id, text);
  };
  try {
    const answer: Answer = await api.post('interactions/component', {
      as: me.value!.id,
      message: message.id,
      custom_id: customId,
      values,
      until_acknowledged: true,
    });
    if (answer.error) fail(answer.error === NO_ANSWER ? 'This interaction failed' : answer.error);
    opened(answer, message.application_id ?? message.author.id);
  } catch (error) {
    fail((error as Error).message);
  } finally {
    const rest = new Set(busy.value);
    rest.delete(key);
    busy.value = rest;
  }
}

export async function buy(message: Message, sku: Id): Promise<void> {
  await attempt(async () => {
    const answer: Answer = await api.post('interactions/component', { as: me.value!.id, message: message.id, component: sku });
    opened(answer, message.application_id ?? message.author.id);
  });
}

/** Submits the open modal. Returns why it must stay open, or nothing. */
export async function submitModal(interaction: Id, values: Record<string, unknown>, files: Files): Promise<string> {
  try {
    const answer: Answer = await api.post('interactions/modal', {
      interaction,
      as: me.value!.id,
      values,
      files,
      until_acknowledged: true,
    });
    if (answer.error) {
      return answer.error === NO_ANSWER ? 'Something went wrong. Try again.' : answer.error;
    }
    modal.value = null;
    opened(answer, null);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
