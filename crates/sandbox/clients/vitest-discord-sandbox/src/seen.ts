/** What a user sees: messages, and answers to what they did. */

import type { Json } from './control.js';

function* flat(components: readonly Json[]): Generator<Json> {
  for (const component of components) {
    yield component;
    yield* flat((component.components as Json[] | undefined) ?? []);
    for (const inner of [component.accessory, component.component]) if (inner) yield inner as Json;
  }
}

function labels(components: readonly Json[]): string[] {
  return [...flat(components)].filter((c) => c.type === 2).map((c) => (c.label as string | null) ?? '');
}

/** A message as its reader sees it. */
export class Message {
  readonly id: string;
  readonly content: string;
  /** Name of the account that sent it. */
  readonly author: string;
  readonly byBot: boolean;
  readonly embeds: Json[];
  readonly components: Json[];
  readonly attachments: Json[];
  readonly ephemeral: boolean;

  /** @param raw the message object of Discord's API */
  constructor(readonly raw: Json) {
    this.id = raw.id as string;
    this.content = raw.content as string;
    this.author = (raw.author as Json).username as string;
    this.byBot = Boolean((raw.author as Json).bot);
    this.embeds = raw.embeds as Json[];
    this.components = (raw.components as Json[] | undefined) ?? [];
    this.attachments = raw.attachments as Json[];
    this.ephemeral = Boolean(((raw.flags as number | undefined) ?? 0) & 64);
  }

  /** Labels of its buttons. */
  get buttons(): string[] {
    return labels(this.components);
  }

  /** Reactions by emoji, with their numbers. */
  get reactions(): Record<string, number> {
    const all = (this.raw.reactions as Json[] | undefined) ?? [];
    return Object.fromEntries(all.map((r) => [(r.emoji as Json).name as string, r.count as number]));
  }
}

/** The bot's answer to an interaction, as the user sees it. */
export class Reply {
  readonly interaction: string;
  readonly content: string;
  readonly ephemeral: boolean;
  readonly deferred: boolean;
  readonly embeds: Json[];
  readonly components: Json[];
  /** The modal that was opened: `custom_id`, `title`, `components`. */
  readonly modal: Json | null;
  readonly followups: Message[];
  readonly message: Message | null;
  /** How many first answers came. More than one is a bug of the bot. */
  readonly callbacks: number;
  readonly latencyMs: number | null;
  /** What the user sees in place of an answer; null if there was one. */
  readonly error: string | null;
  readonly hint: string | null;

  /** @param raw the answer of the control API */
  constructor(readonly raw: Json) {
    this.interaction = raw.interaction as string;
    this.content = raw.content as string;
    this.ephemeral = raw.ephemeral as boolean;
    this.deferred = raw.deferred as boolean;
    this.embeds = raw.embeds as Json[];
    this.components = raw.components as Json[];
    this.modal = raw.modal as Json | null;
    this.followups = (raw.followups as Json[]).map((message) => new Message(message));
    this.message = raw.message ? new Message(raw.message as Json) : null;
    this.callbacks = raw.callbacks as number;
    this.latencyMs = raw.latency_ms as number | null;
    this.error = raw.error as string | null;
    this.hint = raw.hint as string | null;
  }

  /** Labels of its buttons. */
  get buttons(): string[] {
    return labels(this.components);
  }
}
