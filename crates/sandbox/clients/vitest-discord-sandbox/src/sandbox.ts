/** A local Discord of a test: its world, its faults, its clock, and the bot under test. */

import { spawn } from 'node:child_process';

import { Actor, PATIENCE } from './actor.js';
import { BotProcess } from './bot.js';
import { Control, Log, type Entry, type Json } from './control.js';
import { BotEnded, NotSeen } from './errors.js';
import { Guild } from './guild.js';
import { Process } from './process.js';

/** A running sandbox. */
export class Sandbox implements AsyncDisposable {
  readonly #process: Process;
  readonly #control: Control;
  readonly #log: Log;
  readonly #bots = new Set<BotProcess>();
  /** Base address, which corresponds to https://discord.com. */
  readonly url: string;
  /** Address of REST with its version. */
  readonly apiUrl: string;
  /** Address of the gateway. */
  readonly gatewayUrl: string;
  /** Options of discord.js' REST: `new Client({ intents, rest: sandbox.rest })`. */
  readonly rest: { api: string };
  /** Token of the bot. */
  readonly token: string;
  /** Name of the bot. */
  readonly botName: string;
  /** Variables for a bot that is a process of its own, as `sandbox env` prints them. */
  readonly env: Record<string, string>;
  /** File with the certificate that a bot in voice must trust: `NODE_EXTRA_CA_CERTS`. */
  readonly rootCertificate: string;
  /** The guild "Sandbox", in which alice (its owner), bob, carol and the bot are. */
  readonly guild: Guild;

  private constructor(process: Process, control: Control, overview: Json) {
    const { state } = process;
    this.#process = process;
    this.#control = control;
    this.#log = new Log(control);
    this.url = state.url;
    this.apiUrl = overview.api_url as string;
    this.gatewayUrl = overview.gateway_url as string;
    this.rest = { api: `${state.url}/api` };
    this.token = state.token;
    this.rootCertificate = state.voice_root;
    this.env = {
      DISCORD_TOKEN: state.token,
      DISCORD_API_URL: state.url,
      TEST_GUILD_ID: state.guild_id,
      SANDBOX_URL: state.local_url,
      SANDBOX_CONTROL_SECRET: state.control_secret,
    };
    if (this.url.startsWith('https://')) {
      for (const name of ['SSL_CERT_FILE', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS', 'DENO_CERT']) {
        this.env[name] = state.voice_root;
      }
    }
    if (state.proxy) {
      Object.assign(this.env, { HTTPS_PROXY: state.proxy, NODE_USE_ENV_PROXY: '1', NO_PROXY: 'localhost,127.0.0.1,::1' });
    }
    const [guild, bot] = [(overview.guilds as Json[])[0] as Json, (overview.bots as Json[])[0] as Json];
    Object.assign(this.env, {
      DISCORD_APPLICATION_ID: bot.id,
      DISCORD_PUBLIC_KEY: bot.public_key,
      OWNER_IDS: guild.owner,
    });
    this.botName = bot.name as string;
    this.guild = new Guild(this, guild.name as string, guild.id as string);
  }

  /** Starts one on a free port, with arguments of `sandbox serve`. */
  static async start(args: readonly string[] = []): Promise<Sandbox> {
    const process = await Process.start(args);
    const control = new Control(process.state.local_url, process.state.control_secret);
    return new Sandbox(process, control, (await control.call('GET', '')) as Json);
  }

  /** Ends it, and bots that it has started. */
  async stop(): Promise<void> {
    await Promise.all([...this.#bots].map((bot) => bot.stop()));
    await this.#process.stop();
    this.#control.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Calls a route of the control API, below `/sandbox`. The sandbox's README lists them. */
  call(method: string, path: string, body?: unknown): Promise<unknown> {
    return this.#control.call(method, path, body) as Promise<unknown>;
  }

  // ---- people and guilds ---------------------------------------------------

  /** Returns a user by name. */
  async actor(name: string): Promise<Actor> {
    const users = (await this.call('GET', '/users')) as Json[];
    const user = users.find((user) => user.username === name);
    if (!user) throw new RangeError(`there is no user ${name}; make one with newActor`);
    return new Actor(this, name, user.id as string);
  }

  /** Creates a user, in a guild unless that is null. */
  async newActor(name: string, { guild = 'Sandbox', locale }: { guild?: string | null; locale?: string } = {}): Promise<Actor> {
    const user = (await this.call('POST', '/users', { username: name, guild: guild ?? undefined, locale })) as Json;
    return new Actor(this, user.username as string, user.id as string);
  }

  /** Creates a guild with the bot in it. */
  async newGuild(name: string, { owner = 'alice' }: { owner?: string } = {}): Promise<Guild> {
    const guild = (await this.call('POST', '/guilds', { name, owner })) as Json;
    return new Guild(this, guild.name as string, guild.id as string);
  }

  // ---- time and faults -----------------------------------------------------

  /** Moves the world's clock forward, by milliseconds. What is due by then has happened when this returns. */
  async advance(ms: number): Promise<void> {
    await this.call('POST', '/clock', { advance_ms: ms });
  }

  /** Injects a fault: `on` as in the sandbox's README. It strikes so many times, or always if that is null. */
  async fault(on: Json, { times = 1, skip = 0, delayMs = 0 }: { times?: number | null; skip?: number; delayMs?: number } = {}): Promise<void> {
    await this.call('POST', '/faults', { on, skip, delay_ms: delayMs, count: times ?? undefined });
  }

  /** Makes requests fail: `fails('POST', '/channels/*\/messages')`. */
  fails(method: string, path: string, { status = 503, times = 1 }: { status?: number; times?: number | null } = {}): Promise<void> {
    return this.fault({ request: { method, path, effect: { respond: { status } } } }, { times });
  }

  /** Makes requests run into a rate limit (429), of `retryAfter` seconds. */
  limits(
    method: string,
    path: string,
    { retryAfter = 1, scope = 'user', times = 1 }: { retryAfter?: number; scope?: 'user' | 'shared' | 'global'; times?: number | null } = {},
  ): Promise<void> {
    const effect = { rate_limit: { retry_after: retryAfter, scope } };
    return this.fault({ request: { method, path, effect } }, { times });
  }

  /** Removes all faults. */
  async heals(): Promise<void> {
    await this.call('DELETE', '/faults');
  }

  async #sessions(command: unknown): Promise<void> {
    await this.call('POST', '/sessions', { command });
  }

  /** Cuts the bot's connections to the gateway, as when a cable is pulled. */
  dropsConnections(): Promise<void> {
    return this.#sessions('sever');
  }

  /** Closes the bot's connections to the gateway with a close code. */
  closesConnections(code = 4000): Promise<void> {
    return this.#sessions({ close: { code } });
  }

  /** Asks the bot to reconnect (opcode 7). */
  asksToReconnect(): Promise<void> {
    return this.#sessions('reconnect');
  }

  /** Declares the bot's sessions invalid (opcode 9). */
  invalidatesSessions({ resumable = false }: { resumable?: boolean } = {}): Promise<void> {
    return this.#sessions({ invalid_session: { resumable } });
  }

  // ---- the log -------------------------------------------------------------

  /** Returns entries of the log: requests, events, connections, from a number on. */
  log(kind?: string, { since = 1 }: { since?: number } = {}): Entry[] {
    return this.#log.entries.filter((entry) => entry.n >= since && (kind === undefined || entry.kind === kind));
  }

  /** Returns the log as lines for people. */
  logText({ since = 1 }: { since?: number } = {}): Promise<string> {
    return this.#control.text('GET', `/log?text=true&from=${since}`);
  }

  /** Adds a note to the log, and returns its number. */
  async note(text: string): Promise<number> {
    return ((await this.call('POST', '/notes', { text })) as { n: number }).n;
  }

  /** Looks at once and after each event in the sandbox, until there is something to see; undefined if that takes longer. */
  async until<T>(look: () => Promise<T | undefined> | T | undefined, within = PATIENCE): Promise<T | undefined> {
    const end = performance.now() + within;
    for (;;) {
      const seen = this.#log.events;
      const found = await look();
      if (found !== undefined) return found;
      this.checkBots();
      if (this.#log.over) throw new NotSeen('the sandbox has ended');
      const left = end - performance.now();
      // Once more at the end, for what happened in the last moment.
      if (left <= 0 || !(await this.#log.wait(seen, left))) return await look();
    }
  }

  /** Waits for an entry of the log, from number `since` on, and returns it. */
  async waitFor(
    kind: string,
    where: (entry: Entry) => boolean = () => true,
    { since = 1, within = PATIENCE }: { since?: number; within?: number } = {},
  ): Promise<Entry> {
    const found = await this.until(() => this.log(kind, { since }).find(where), within);
    if (!found) throw new NotSeen(`there was no ${kind} as wanted within ${within} ms`);
    return found;
  }

  // ---- the bot under test --------------------------------------------------

  /** Throws if a bot that the sandbox has started has ended. */
  checkBots(): void {
    for (const bot of this.#bots) if (bot.ended !== undefined) throw new BotEnded(bot.ended);
  }

  /** What running bots have printed. */
  get outputs(): string[] {
    return [...this.#bots].map((bot) => bot.output);
  }

  async #connected(since: number, within: number): Promise<void> {
    const online = (entry: Entry) => entry.event === 'GUILD_CREATE';
    await this.waitFor('dispatch', online, { since, within }).catch((why: unknown) => {
      if (!(why instanceof NotSeen)) throw why;
      throw new NotSeen(`the bot did not get its guild from the gateway within ${within} ms`);
    });
  }

  /** Logs a bot of this process in, as in `sandbox.logsIn(() => client.login(sandbox.token))`, and waits until it is connected. */
  async logsIn(login: () => Promise<unknown>, { within = 30_000 }: { within?: number } = {}): Promise<void> {
    const since = (await this.note('the bot starts')) + 1;
    await login();
    await this.#connected(since, within);
  }

  /** Runs a bot as a process with `env` of the sandbox, and waits until it is connected. It ends with the sandbox. */
  async botProcess(
    command: string,
    args: readonly string[] = [],
    { env = {}, cwd, within = 30_000 }: { env?: Record<string, string>; cwd?: string; within?: number } = {},
  ): Promise<BotProcess> {
    const since = (await this.note('the bot starts')) + 1;
    const options = { env: { ...process.env, ...this.env, ...env }, ...(cwd === undefined ? {} : { cwd }) };
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const bot = new BotProcess(child, () => this.#log.wake());
    this.#bots.add(bot);
    await this.#connected(since, within);
    return bot;
  }
}
