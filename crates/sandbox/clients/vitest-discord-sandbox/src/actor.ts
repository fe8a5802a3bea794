/** People who use the bot. */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Json } from './control.js';
import { BotDidNotAnswer, NotHeard } from './errors.js';
import type { Sandbox } from './sandbox.js';
import { Message, Reply } from './seen.js';

/** What an interaction is done on. */
export type Target = Message | Reply | Actor | string;

/** Where and how long. */
export interface Options {
  /** Channel, by name or id; `@NAME` for direct messages with the bot of this name. By default `bot-test`. */
  at?: string;
  /** How long to wait for the bot, in milliseconds. By default 10,000. */
  within?: number;
  /** Return the error that the user sees instead of throwing `BotDidNotAnswer`. */
  allowError?: boolean;
}

export const PATIENCE = 10_000;

function id(target: Target): string {
  if (target instanceof Actor) return target.name;
  if (target instanceof Reply) {
    if (!target.message) throw new TypeError('this answer is no message, so it has nothing to use');
    return target.message.id;
  }
  return target instanceof Message ? target.id : target;
}

function encoded(files: Record<string, Uint8Array>): Json {
  const base64 = (bytes: Uint8Array) => ({ base64: Buffer.from(bytes).toString('base64') });
  return Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, base64(bytes)]));
}

/** One user. */
export class Actor {
  readonly #heard = new Map<string, bigint>();

  constructor(
    private readonly sandbox: Sandbox,
    readonly name: string,
    readonly id: string,
  ) {}

  #call(method: string, path: string, body: Json): Promise<Json> {
    return this.sandbox.call(method, path, { as: this.name, ...body }) as Promise<Json>;
  }

  async #interact(how: string, options: Options, body: Json): Promise<Reply> {
    const limit = { deadline_ms: options.within ?? PATIENCE };
    const reply = new Reply(await this.#call('POST', `/interactions/${how}`, { ...limit, ...body }));
    if (reply.error && !options.allowError) {
      this.sandbox.checkBots();
      throw new BotDidNotAnswer(reply.hint ? `${reply.error} (${reply.hint})` : reply.error);
    }
    return reply;
  }

  // ---- messages ------------------------------------------------------------

  /** Sends a message. */
  async says(
    text: string,
    { at = 'bot-test', replyTo, files }: { at?: string; replyTo?: Message; files?: Record<string, Uint8Array> } = {},
  ): Promise<Message> {
    const more: Json = {};
    if (replyTo) more.reply_to = replyTo.id;
    if (files) more.files = encoded(files);
    const message = new Message(await this.#call('POST', '/messages', { channel: at, content: text, ...more }));
    this.#hear(at, message);
    return message;
  }

  #hear(at: string, message: Message): void {
    const last = this.#heard.get(at) ?? 0n;
    if (BigInt(message.id) > last) this.#heard.set(at, BigInt(message.id));
  }

  /** Returns the newest messages of a channel, oldest first. */
  async sees({ at = 'bot-test', limit = 50 }: { at?: string; limit?: number } = {}): Promise<Message[]> {
    const query = new URLSearchParams({ as: this.name, channel: at, limit: String(limit) });
    const all = (await this.sandbox.call('GET', `/messages?${query}`)) as Json[];
    return all.map((message) => new Message(message));
  }

  async #unheard(at: string): Promise<Message | undefined> {
    const last = this.#heard.get(at) ?? 0n;
    return (await this.sees({ at })).find((message) => message.byBot && BigInt(message.id) > last);
  }

  /** Waits for the next message of a bot: after the last one that this user sent or heard in the channel. */
  async hears({ at = 'bot-test', within = PATIENCE }: Pick<Options, 'at' | 'within'> = {}): Promise<Message> {
    const message = await this.sandbox.until(() => this.#unheard(at), within);
    if (!message) throw new NotHeard(`${this.name} heard no bot in ${at} within ${within} ms`);
    this.#hear(at, message);
    return message;
  }

  /** Throws if a bot sends a message within this time. */
  async hearsNothing({ at = 'bot-test', within = 500 }: Pick<Options, 'at' | 'within'> = {}): Promise<void> {
    const message = await this.sandbox.until(() => this.#unheard(at), within);
    if (message) throw new NotHeard(`${this.name} heard ${message.author} in ${at}: ${JSON.stringify(message.content)}`);
  }

  /** Returns a message as it is now. */
  async reread(message: Message | Reply): Promise<Message> {
    const query = new URLSearchParams({ as: this.name });
    return new Message((await this.sandbox.call('GET', `/messages/${id(message)}?${query}`)) as Json);
  }

  /** Waits until a message differs from what this user has seen of it, and returns it. */
  async seesChange(message: Message | Reply, { within = PATIENCE }: { within?: number } = {}): Promise<Message> {
    const seen = message instanceof Reply ? message.message : message;
    if (!seen) throw new TypeError('this answer is no message');
    const changed = await this.sandbox.until(async () => {
      const now = await this.reread(seen);
      return JSON.stringify(now.raw) === JSON.stringify(seen.raw) ? undefined : now;
    }, within);
    if (!changed) throw new NotHeard(`message ${seen.id} did not change within ${within} ms`);
    return changed;
  }

  /** Edits a message of this user's. */
  async edits(message: Message, text: string): Promise<Message> {
    return new Message(await this.#call('PATCH', `/messages/${message.id}`, { content: text }));
  }

  /** Deletes a message. */
  async deletes(message: Message): Promise<void> {
    await this.#call('DELETE', `/messages/${message.id}`, {});
  }

  /** Adds a reaction. */
  async reacts(message: Message | Reply, emoji: string): Promise<void> {
    await this.#call('POST', `/messages/${id(message)}/reactions`, { emoji });
  }

  /** Removes a reaction. */
  async unreacts(message: Message | Reply, emoji: string): Promise<void> {
    await this.#call('DELETE', `/messages/${id(message)}/reactions`, { emoji });
  }

  // ---- interactions --------------------------------------------------------

  async #awaitCommand(name: string, { at = 'bot-test', within = PATIENCE }: Options): Promise<void> {
    const query = new URLSearchParams({ as: this.name, channel: at });
    const look = async () => {
      const known = (await this.sandbox.call('GET', `/commands?${query}`)) as Json[];
      return known.some((command) => [command.name, command.name_localized].includes(name)) || undefined;
    };
    // If it does not come, the sandbox's own sentence says what there is.
    await this.sandbox.until(look, within);
  }

  /**
   * Runs a slash command and waits for the answer: `runs('/poll tea or:coffee')` as typed, or
   * `runs('/poll new', { question: 'tea' })`. It first waits until a bot has registered the command. An option can be a user,
   * a `file:` URL of a file to attach, or plain.
   */
  async runs(command: string, values: Record<string, unknown> = {}, options: Options = {}): Promise<Reply> {
    const words = command.replace(/^\//, '').split(/\s+/);
    const files: Record<string, Uint8Array> = {};
    const plain = (value: unknown): unknown => {
      if (value instanceof Actor) return value.name;
      if (value instanceof Message) return value.id;
      if (value instanceof URL && value.protocol === 'file:') {
        const path = fileURLToPath(value);
        files[basename(path)] = readFileSync(path);
        return basename(path);
      }
      return value;
    };
    let body: Json = { text: command };
    if (Object.keys(values).length > 0) {
      let inner: Json = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, plain(value)]));
      for (const word of words.slice(1).reverse()) inner = { [word]: inner };
      body = { name: words[0], options: inner };
    }
    if (Object.keys(files).length > 0) body.files = encoded(files);
    await this.#awaitCommand(words[0] ?? '', options);
    return this.#interact('command', options, { channel: options.at ?? 'bot-test', ...body });
  }

  /** Runs a user command or a message command on its target. */
  async uses(command: string, on: Target, options: Options = {}): Promise<Reply> {
    await this.#awaitCommand(command, options);
    const channel = options.at ?? 'bot-test';
    return this.#interact('command', options, { channel, name: command, target: id(on) });
  }

  /** Returns the values offered for the option that is being typed, the last one of the text. */
  async completes(text: string, options: Options = {}): Promise<(string | number)[]> {
    await this.#awaitCommand(text.replace(/^\//, '').split(/\s+/)[0] ?? '', options);
    const reply = await this.#interact('autocomplete', options, { channel: options.at ?? 'bot-test', text });
    return ((reply.raw.choices as Json[] | null) ?? []).map((choice) => choice.value as string | number);
  }

  /** Presses a button, by custom id or label. */
  clicks(on: Message | Reply, button: string, options: Options = {}): Promise<Reply> {
    return this.#interact('component', options, { message: id(on), component: button });
  }

  /** Chooses from a menu, by custom id or placeholder: values, or for its kind users, roles and channels. */
  selects(on: Message | Reply, menu: string, values: (Actor | string)[], options: Options = {}): Promise<Reply> {
    const chosen = values.map((value) => (value instanceof Actor ? value.name : value));
    return this.#interact('component', options, { message: id(on), component: menu, values: chosen });
  }

  /** Submits the modal that an answer opened, with values by custom id. */
  submits(opened: Reply, values: Record<string, unknown>, options: Options = {}): Promise<Reply> {
    return this.#interact('modal', options, { interaction: opened.interaction, values });
  }

  // ---- places --------------------------------------------------------------

  async #member(method: string, guild: string, what: string, body?: Json): Promise<void> {
    const path = `/guilds/${encodeURIComponent(guild)}/${what}/${encodeURIComponent(this.name)}`;
    await this.sandbox.call(method, path, body);
  }

  /** Joins a voice channel. */
  joinsVoice(channel = 'Lounge', guild = 'Sandbox'): Promise<void> {
    return this.#member('PUT', guild, 'voice', { channel });
  }

  /** Leaves voice. */
  leavesVoice(guild = 'Sandbox'): Promise<void> {
    return this.#member('DELETE', guild, 'voice');
  }

  /** Joins a guild. */
  joins(guild = 'Sandbox'): Promise<void> {
    return this.#member('PUT', guild, 'members', {});
  }

  /** Leaves a guild. */
  leaves(guild = 'Sandbox'): Promise<void> {
    return this.#member('DELETE', guild, 'members');
  }

  /** Has these roles from now on, by name, and no others. */
  getsRoles(roles: string[], guild = 'Sandbox'): Promise<void> {
    return this.#member('PATCH', guild, 'members', { roles });
  }
}
