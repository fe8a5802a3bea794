// Commands as the picker shows them: one entry for each subcommand, and options with what is typed in them.

import * as api from './api';
import type { Given } from './actions';
import { me } from './store';
import type { Command, Id, Option } from './types';

export const OPTION = { SUB: 1, GROUP: 2, STRING: 3, INTEGER: 4, BOOLEAN: 5, USER: 6, CHANNEL: 7, ROLE: 8, MENTIONABLE: 9, NUMBER: 10, ATTACHMENT: 11 } as const;

export interface Entry {
  command: Command;
  /** Names of group and subcommand, as the bot knows them. */
  path: string[];
  /** All names as the user sees them, with spaces. */
  title: string;
  description: string;
  options: Option[];
}

/** A command that is being filled in. `text` is what is shown in an option, `value` what is sent. */
export interface Draft {
  entry: Entry;
  fields: Field[];
}

export interface Field {
  option: Option;
  text: string;
  value: string | number | boolean | null;
  file: File | null;
}

export async function load(channel: Id): Promise<Command[]> {
  return api.get('commands', { as: me.value!.id, channel });
}

const shown = (option: Option): string => option.name_localized ?? option.name;
const about = (option: Option): string => option.description_localized ?? option.description;

export function entries(commands: Command[]): Entry[] {
  const out: Entry[] = [];
  const walk = (command: Command, node: Option, path: string[], title: string): void => {
    const subs = node.options?.filter((option) => option.type === OPTION.SUB || option.type === OPTION.GROUP) ?? [];
    if (!subs.length) {
      out.push({ command, path, title, description: about(node), options: node.options ?? [] });
      return;
    }
    for (const sub of subs) walk(command, sub, [...path, sub.name], `${title} ${shown(sub)}`);
  };
  for (const command of commands) {
    if (command.type === 1 || command.type === 4) walk(command, command, [], shown(command));
  }
  return out.sort((a, b) => a.title.localeCompare(b.title));
}

/** Returns entries for what is typed behind the slash: those that begin with it, then those that contain it. */
export function find(all: Entry[], typed: string): Entry[] {
  const wanted = typed.toLowerCase().trim();
  const begins = all.filter((entry) => entry.title.toLowerCase().startsWith(wanted));
  const contains = all.filter((entry) => !begins.includes(entry) && entry.title.toLowerCase().includes(wanted));
  return [...begins, ...contains];
}

export function field(option: Option): Field {
  return { option, text: '', value: null, file: null };
}

export function draft(entry: Entry): Draft {
  return { entry, fields: entry.options.filter((option) => option.required).map(field) };
}

/** Returns what is wrong with a field, in words; empty if nothing is. */
export function problem({ option, text, value, file }: Field): string {
  if (option.type === OPTION.ATTACHMENT) return file || !option.required ? '' : 'Choose a file.';
  if (!text.trim()) return option.required ? 'This option is required. Specify a value.' : '';
  const fixed = option.choices && option.choices.length > 0;
  switch (option.type) {
    case OPTION.STRING: {
      if (fixed) return value === null ? 'Choose one of the given values.' : '';
      const length = [...text].length;
      if (option.min_length && length < option.min_length) return `Must be at least ${option.min_length} characters.`;
      if (length > (option.max_length ?? 6000)) return `Must be at most ${option.max_length ?? 6000} characters.`;
      return '';
    }
    case OPTION.INTEGER:
    case OPTION.NUMBER: {
      if (fixed) return value === null ? 'Choose one of the given values.' : '';
      const number = typeof value === 'number' ? value : Number(text);
      if (!Number.isFinite(number)) return 'Enter a valid number.';
      if (option.type === OPTION.INTEGER && !Number.isSafeInteger(number)) return 'Enter a valid integer.';
      if (option.min_value !== undefined && number < option.min_value) return `Must be at least ${option.min_value}.`;
      if (option.max_value !== undefined && number > option.max_value) return `Must be at most ${option.max_value}.`;
      return '';
    }
    case OPTION.BOOLEAN:
      return value === null ? 'Choose True or False.' : '';
    default:
      return value === null ? 'Choose one from the list.' : '';
  }
}

/** Returns the options to send. Files are named by `path`. */
export function given(fields: Field[], path: (field: Field) => string): Given[] {
  const out: Given[] = [];
  for (const field of fields) {
    const { option, text, value, file } = field;
    if (option.type === OPTION.ATTACHMENT) {
      if (file) out.push({ name: option.name, value: path(field) });
    } else if (text.trim() || value !== null) {
      const number = option.type === OPTION.INTEGER || option.type === OPTION.NUMBER;
      out.push({ name: option.name, value: value ?? (number ? Number(text) : text) });
    }
  }
  return out;
}

/** The same for autocompletion: what is typed so far, valid or not; of the others what is filled in. */
export function partial(fields: Field[], focused: Field): Given[] {
  const filled = fields.filter((field) => field !== focused && field.option.type !== OPTION.ATTACHMENT && !problem(field));
  return [...given(filled, () => ''), { name: focused.option.name, value: focused.text }];
}
