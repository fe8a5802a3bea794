// A bot's modal, with every input that modals have.

import { useState } from 'preact/hooks';
import { submitModal, type Files } from './actions';
import { Dialog } from './dialogs';
import { Avatar } from './icons';
import { Rich } from './rich';
import { Select, itemsOf } from './select';
import { channel, guildOf, modal, userOf } from './store';
import { line, readBase64 } from './text';
import type { Component, Modal } from './types';

const TEXT = 4;
const FILE = 19;
const RADIO = 21;
const CHECKBOXES = 22;
const CHECKBOX = 23;

type Value = string | string[] | boolean | File[];

/** Returns the inputs of a modal, with the label and description around them. */
function inputs(components: Component[]): { input: Component; label: string; description?: string }[] {
  return components.flatMap((component) => {
    if (component.components) return inputs(component.components);
    if (component.component) return [{ input: component.component, label: component.label ?? '', description: component.description }];
    return component.custom_id ? [{ input: component, label: component.label ?? '', description: component.description }] : [];
  });
}

function initial(input: Component): Value {
  switch (input.type) {
    case TEXT:
      return input.value ?? '';
    case FILE:
      return [];
    case CHECKBOX:
      return input.default === true;
    case RADIO:
      return input.options?.find((option) => option.default)?.value ?? '';
    case CHECKBOXES:
      return input.options?.filter((option) => option.default).map((option) => option.value) ?? [];
    default:
      return input.options?.filter((option) => option.default).map((option) => option.value) ?? input.default_values?.map((one) => one.id) ?? [];
  }
}

function problem(input: Component, value: Value): string {
  const required = input.required ?? true;
  if (input.type === TEXT) {
    const length = [...(value as string)].length;
    if (!length) return required ? 'This field is required.' : '';
    if (length < (input.min_length ?? 0)) return `Must be at least ${input.min_length} characters.`;
    return length > (input.max_length ?? 4000) ? `Must be at most ${input.max_length} characters.` : '';
  }
  if (input.type === CHECKBOX) return '';
  const count = Array.isArray(value) ? value.length : value ? 1 : 0;
  if (!count) return required ? 'This field is required.' : '';
  const least = input.min_values ?? 1;
  const most = input.max_values ?? (input.type === CHECKBOXES ? input.options?.length ?? 1 : 1);
  if (count < least) return `Choose at least ${least}.`;
  return count > most ? `Choose at most ${most}.` : '';
}

export function ModalBox() {
  const open = modal.value;
  return open && <Form key={open.interaction} modal={open.modal} interaction={open.interaction} application={open.application} />;
}

function Form({ modal: form, interaction, application }: { modal: Modal; interaction: string; application: string | null }) {
  const all = inputs(form.components);
  const [values, setValues] = useState<Record<string, Value>>(() => Object.fromEntries(all.map(({ input }) => [input.custom_id!, initial(input)])));
  const [tried, setTried] = useState(false);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const here = channel.value;
  const bot = application ? userOf(application) : undefined;
  const set = (input: Component, value: Value): void => setValues((now) => ({ ...now, [input.custom_id!]: value }));

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setTried(true);
    if (busy || all.some(({ input }) => problem(input, values[input.custom_id!]!))) return;
    setBusy(true);
    const files: Files = {};
    const sent: Record<string, unknown> = {};
    for (const { input } of all) {
      const value = values[input.custom_id!]!;
      if (input.type === FILE) {
        const names: string[] = [];
        for (const [index, file] of (value as File[]).entries()) {
          const name = `${input.custom_id}/${index}/${file.name}`;
          files[name] = { base64: await readBase64(file), filename: file.name };
          names.push(name);
        }
        sent[input.custom_id!] = names;
      } else if (value !== '') sent[input.custom_id!] = value;
    }
    const why = await submitModal(interaction, sent, files);
    setBusy(false);
    setError(why);
  };

  const draw = (component: Component, label: string, description: string | undefined): preact.ComponentChild => {
    if (component.type === 10) return <div class="text-display"><Rich text={component.content ?? ''} channel={here} /></div>;
    if (component.components) return component.components.map((inner) => draw(inner, inner.label ?? '', inner.description));
    if (component.component) return draw(component.component, component.label ?? '', component.description);
    if (!component.custom_id) return null;
    const value = values[component.custom_id]!;
    const why = tried ? problem(component, value) : '';
    return (
      <Field key={component.custom_id} input={component} label={label} description={description} error={why}>
        {(attributes) => drawInput(component, value, (next) => set(component, next), attributes, line(label))}
      </Field>
    );
  };

  return (
    <Dialog title={line(form.title)} onClose={() => (modal.value = null)} locked>
      <form class="modal-form" onSubmit={(event) => void submit(event)} noValidate>
        {bot && <p class="modal-bot"><Avatar id={bot.id} name={bot.username} size={20} /> {line(bot.username)}</p>}
        {form.components.map((component) => draw(component, component.label ?? '', component.description))}
        {error && <p class="form-error" role="alert">{line(error)}</p>}
        <p class="muted small">This form is submitted to {line(bot?.username ?? 'the app')}. Do not share passwords or other sensitive information.</p>
        <footer>
          <button type="button" class="button secondary" onClick={() => (modal.value = null)}>Cancel</button>
          <button class="button primary" disabled={busy} aria-busy={busy}>Submit</button>
        </footer>
      </form>
    </Dialog>
  );
}

interface Attributes {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': boolean;
}

function Field({ input, label, description, error, children }: { input: Component; label: string; description?: string; error: string; children: (attributes: Attributes) => preact.ComponentChild }) {
  const id = `input-${input.custom_id}`;
  const required = (input.required ?? true) && input.type !== CHECKBOX;
  const attributes = { id, 'aria-describedby': error ? `${id}-error` : undefined, 'aria-invalid': Boolean(error) };
  return (
    <div class="modal-field">
      {label && <label class="label" for={id}>{line(label)} {required && <span class="required" aria-hidden="true">*</span>}</label>}
      {description && <p class="muted small">{line(description)}</p>}
      {children(attributes)}
      {error && <p class="form-error" id={`${id}-error`}>{error}</p>}
    </div>
  );
}

function drawInput(input: Component, value: Value, set: (value: Value) => void, attributes: Attributes, label: string) {
  switch (input.type) {
    case TEXT: {
      const common = {
        ...attributes, class: 'field', value: value as string, placeholder: line(input.placeholder ?? ''), maxLength: input.max_length ?? 4000,
        onInput: (event: { currentTarget: { value: string } }) => set(event.currentTarget.value),
      };
      return input.style === 2 ? <textarea rows={4} {...common} /> : <input {...common} />;
    }
    case FILE:
      return (
        <>
          <input
            {...attributes} type="file" class="field" multiple={(input.max_values ?? 1) > 1} accept={input.file_types?.map((type) => (type.startsWith('.') || type.includes('/') ? type : `.${type}`)).join(',')}
            onChange={(event) => set([...(event.currentTarget.files ?? [])])}
          />
          {(value as File[]).map((file) => <div class="muted small" key={file.name}>{line(file.name)}</div>)}
        </>
      );
    case RADIO:
      return (
        <div role="radiogroup" aria-label={label} id={attributes.id} class="choices">
          {input.options?.map((option) => (
            <label class="choice" key={option.value}>
              <input type="radio" name={input.custom_id} checked={value === option.value} onChange={() => set(option.value)} />
              <span>{line(option.label)}{option.description && <small>{line(option.description)}</small>}</span>
            </label>
          ))}
        </div>
      );
    case CHECKBOXES: {
      const chosen = value as string[];
      return (
        <div role="group" aria-label={label} id={attributes.id} class="choices">
          {input.options?.map((option) => (
            <label class="choice" key={option.value}>
              <input type="checkbox" checked={chosen.includes(option.value)} onChange={(event) => set(event.currentTarget.checked ? [...chosen, option.value] : chosen.filter((one) => one !== option.value))} />
              <span>{line(option.label)}{option.description && <small>{line(option.description)}</small>}</span>
            </label>
          ))}
        </div>
      );
    }
    case CHECKBOX:
      return <input {...attributes} type="checkbox" checked={value as boolean} onChange={(event) => set(event.currentTarget.checked)} />;
    default:
      return (
        <Select
          select={input} items={itemsOf(input, guildOf(channel.value), channel.value).map((item) => ({ ...item, default: (value as string[]).includes(item.value) }))}
          label={label || line(input.placeholder ?? 'Choose')} onChange={set} invalid={attributes['aria-invalid']}
        />
      );
  }
}
