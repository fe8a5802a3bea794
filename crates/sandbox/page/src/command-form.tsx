// A slash command being filled in: its options as fields, with the values that each one takes.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { complete, runCommand, type Files } from './actions';
import { field as emptyField, given, OPTION, partial, problem, type Draft, type Field } from './commands';
import { Avatar, IconButton } from './icons';
import { channels, ItemView, matching, roles, users, type Item } from './select';
import { guildOf, nameOf, userOf } from './store';
import { line, readBase64 } from './text';
import type { Channel, Option } from './types';

interface Choice extends Item {
  sent: string | number | boolean;
}

/** Time without a key before the bot is asked for choices. */
const PAUSE = 180;

export function CommandForm({ channel, draft, setDraft, onEnd }: { channel: Channel; draft: Draft; setDraft: (draft: Draft) => void; onEnd: () => void }) {
  const { entry, fields } = draft;
  const [focused, setFocused] = useState<string | null>(fields[0]?.option.name ?? null);
  const [tried, setTried] = useState(false);
  const [live, setLive] = useState<{ name: string; text: string; choices: Choice[]; error: string } | null>(null);
  const [at, setAt] = useState(0);
  const form = useRef<HTMLDivElement>(null);
  const guild = guildOf(channel);
  const bot = userOf(entry.command.application_id);
  const active = fields.find((field) => field.option.name === focused) ?? null;
  const more = entry.options.filter((option) => !fields.some((field) => field.option.name === option.name));

  useLayoutEffect(() => {
    // The field that is in use has the focus; with none, the form itself, so that Enter sends.
    const wanted = focused && form.current!.querySelector<HTMLElement>(`[data-option="${CSS.escape(focused)}"]`);
    (wanted || form.current!).focus();
  }, [focused]);

  // The bot is asked for choices while the user types.
  useEffect(() => {
    if (!active?.option.autocomplete || active.value !== null) return;
    let stale = false;
    const timer = setTimeout(async () => {
      const { name } = active.option;
      let choices: Choice[] = [];
      let error = '';
      try {
        const answer = await complete(channel.id, entry.command, entry.path, partial(fields, active), name);
        choices = (answer.choices ?? []).map((choice) => ({ label: choice.name_localized ?? choice.name, value: String(choice.value), sent: choice.value }));
        if (answer.error) error = 'Loading options failed';
      } catch (failure) {
        error = (failure as Error).message;
      }
      if (!stale) {
        setLive({ name, text: active.text, choices, error });
        setAt(0);
      }
    }, PAUSE);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [active?.option.name, active?.text, active?.value]);

  const change = (name: string, next: Partial<Field>): void => {
    setDraft({ entry, fields: fields.map((field) => (field.option.name === name ? { ...field, ...next } : field)) });
  };
  const choices = active ? choicesOf(active, live, guild, channel) : [];

  const take = (choice: Choice): void => {
    change(active!.option.name, { text: choice.label, value: choice.sent });
    next(1);
  };
  const next = (step: number): void => {
    const index = fields.findIndex((field) => field.option.name === focused);
    setAt(0);
    setFocused(fields[index + step]?.option.name ?? null);
  };
  const add = (option: Option): void => {
    setDraft({ entry, fields: [...fields, emptyField(option)] });
    setAt(0);
    setFocused(option.name);
  };
  const send = async (): Promise<void> => {
    setTried(true);
    const wrong = fields.find(problem);
    if (wrong) return setFocused(wrong.option.name);
    const files: Files = {};
    const path = (field: Field): string => `${field.option.name}/${field.file!.name}`;
    const options = given(fields, path);
    for (const field of fields) {
      if (field.file) files[path(field)] = { base64: await readBase64(field.file), filename: field.file.name };
    }
    onEnd();
    await runCommand(channel.id, entry.command, entry.path, options, files);
  };

  const keyDown = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    if (target.closest('button, [type=file]') && event.key === 'Enter') return;
    if (event.key === 'Escape') {
      event.stopPropagation();
      onEnd();
    } else if (choices.length && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      setAt((at + (event.key === 'ArrowDown' ? 1 : -1) + choices.length) % choices.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (choices.length && active && active.value === null && (needsChoice(active) || active.text)) take(choices[at]!);
      else void send();
    } else if (event.key === 'Tab' && active && choices.length && active.value === null && needsChoice(active) && !event.shiftKey) {
      event.preventDefault();
      take(choices[at]!);
    } else if (event.key === 'Backspace' && target instanceof HTMLInputElement && !target.value && !active?.option.required) {
      event.preventDefault();
      const index = fields.findIndex((field) => field.option.name === focused);
      setDraft({ entry, fields: fields.filter((field) => field.option.name !== focused) });
      setFocused(fields[index - 1]?.option.name ?? null);
    }
  };

  const error = active && (tried || active.text) ? problem(active) : '';
  return (
    <div class="command-form" ref={form} tabIndex={-1} role="group" aria-label={`Command ${line(entry.title)}`} onKeyDown={keyDown}>
      <div class="suggestions">
        {active && (
          <div class="option-about">
            <b>{line(active.option.name_localized ?? active.option.name)}</b> {line(active.option.description_localized ?? active.option.description)}
            {error && <span class="form-error" role="alert">{error}</span>}
          </div>
        )}
        {live?.error && active?.option.name === live.name && <div class="select-empty">{line(live.error)}</div>}
        {active?.option.autocomplete && active.value === null && live?.name !== active.option.name && <div class="select-empty">Loading options…</div>}
        {choices.length > 0 && active?.value === null && (
          <div role="listbox" id="choices" aria-label={`Values of ${line(active.option.name)}`}>
            {choices.slice(0, 25).map((choice, index) => (
              <div key={`${choice.kind} ${choice.value}`} id={`choice-${index}`} role="option" aria-selected={index === at} class={`suggestion ${index === at ? 'at' : ''}`} onMouseMove={() => setAt(index)} onMouseDown={(event) => { event.preventDefault(); take(choice); }}>
                <ItemView item={choice} />
              </div>
            ))}
          </div>
        )}
        {!active && more.length > 0 && (
          <div role="group" aria-label="More options">
            <div class="option-about">Optional</div>
            {more.map((option) => (
              <button type="button" key={option.name} class="suggestion" onClick={() => add(option)}>
                <span class="item-text"><b>{line(option.name_localized ?? option.name)}</b><small>{line(option.description_localized ?? option.description)}</small></span>
              </button>
            ))}
          </div>
        )}
      </div>
      <div class="composer-box command-box">
        <Avatar id={entry.command.application_id} name={bot ? nameOf(bot, guild) : '?'} size={24} />
        <b class="command-title">/{line(entry.title)}</b>
        {fields.map((field) => {
          const { option } = field;
          const name = line(option.name_localized ?? option.name);
          const wrong = (tried || (field.text !== '' && option.name !== focused)) && problem(field) !== '';
          return (
            <label key={option.name} class={`option ${option.name === focused ? 'focused' : ''} ${wrong ? 'invalid' : ''}`}>
              <span class="option-label">{name}</span>
              {option.type === OPTION.ATTACHMENT ? (
                <input type="file" data-option={option.name} onFocus={() => setFocused(option.name)} onChange={(event) => change(option.name, { file: event.currentTarget.files?.[0] ?? null, text: event.currentTarget.files?.[0]?.name ?? '' })} />
              ) : (
                <input
                  data-option={option.name} value={field.text} size={Math.max(2, Math.min(40, [...field.text].length + 1))} autocomplete="off" role="combobox" aria-autocomplete="list"
                  aria-expanded={option.name === focused && choices.length > 0} aria-controls="choices" aria-invalid={wrong} aria-activedescendant={option.name === focused && choices.length ? `choice-${at}` : undefined}
                  inputMode={option.type === OPTION.INTEGER ? 'numeric' : option.type === OPTION.NUMBER ? 'decimal' : undefined}
                  onFocus={() => setFocused(option.name)} onInput={(event) => { change(option.name, { text: event.currentTarget.value, value: null }); setAt(0); }}
                />
              )}
            </label>
          );
        })}
        {active && more.length > 0 && <button type="button" class="link-button more-options" onClick={() => setFocused(null)}>+{more.length} more</button>}
        <span class="spacer" />
        <button type="button" class="button primary small" onClick={() => void send()}>Send</button>
        <IconButton name="close" label="Cancel command" onClick={onEnd} />
      </div>
    </div>
  );
}

/** Returns whether an option takes nothing but what is in its list. */
function needsChoice({ option }: Field): boolean {
  if (option.choices?.length) return true;
  return option.type !== OPTION.STRING && option.type !== OPTION.INTEGER && option.type !== OPTION.NUMBER;
}

function choicesOf(field: Field, live: { name: string; choices: Choice[] } | null, guild: ReturnType<typeof guildOf>, channel: Channel): Choice[] {
  const { option, text, value } = field;
  if (value !== null) return [];
  if (option.autocomplete) return live?.name === option.name ? live.choices : [];
  let all: Choice[] = [];
  const named = (items: Item[]): Choice[] => items.map((item) => ({ ...item, sent: item.value }));
  if (option.choices) all = option.choices.map((choice) => ({ label: choice.name_localized ?? choice.name, value: String(choice.value), sent: choice.value }));
  else if (option.type === OPTION.BOOLEAN) all = [true, false].map((sent) => ({ label: sent ? 'True' : 'False', value: String(sent), sent }));
  else if (option.type === OPTION.USER) all = named(users(guild, channel));
  else if (option.type === OPTION.ROLE) all = named(roles(guild));
  else if (option.type === OPTION.MENTIONABLE) all = named([...users(guild, channel), ...roles(guild)]);
  else if (option.type === OPTION.CHANNEL) all = named(channels(guild, option.channel_types));
  return matching(all, text.replace(/^[@#]/, ''));
}
