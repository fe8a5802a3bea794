/** The control API of a sandbox, and its log as it grows. */

import { Agent, request, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';

/** A JSON object. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = Record<string, any>;

/** An entry of the log. */
export interface Entry extends Json {
  /** Its number, from 1. */
  n: number;
  /** Such as `request`, `dispatch`, `identified`. */
  kind: string;
}

/** What was asked of the sandbox is not possible. The message is its sentence. */
export class Refused extends Error {
  override name = 'Refused';
}

/** Calls the control API. */
export class Control {
  readonly #agent = new Agent({ keepAlive: true });

  constructor(
    private readonly url: string,
    private readonly secret: string,
  ) {}

  /** Sends a request and returns the answer's head. */
  open(method: string, path: string, body?: unknown): Promise<IncomingMessage> {
    const data = body === undefined ? undefined : JSON.stringify(body);
    const headers: Record<string, string> = { authorization: `Bearer ${this.secret}` };
    if (data !== undefined) headers['content-type'] = 'application/json';
    return new Promise((resolve, reject) => {
      const sent = request(`${this.url}/sandbox${path}`, { method, headers, agent: this.#agent }, resolve);
      sent.on('error', reject);
      sent.end(data);
    });
  }

  /** Calls a route and returns its text. */
  async text(method: string, path: string, body?: unknown): Promise<string> {
    const answer = await this.open(method, path, body);
    answer.setEncoding('utf8');
    let text = '';
    for await (const part of answer) text += part as string;
    if ((answer.statusCode ?? 500) < 400) return text;
    let sentence = `${method} ${path} was answered with ${answer.statusCode}`;
    try {
      sentence = (JSON.parse(text) as { error?: string }).error ?? sentence;
    } catch {
      // It is not from the sandbox.
    }
    throw new Refused(sentence);
  }

  /** Calls a route and returns its JSON. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  async call(method: string, path: string, body?: unknown): Promise<any> {
    const text = await this.text(method, path, body);
    return text ? JSON.parse(text) : undefined;
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent.destroy();
  }
}

/** The log as far as it has come, which wakes who waits at each new entry. */
export class Log {
  readonly entries: Entry[] = [];
  /** Whether the sandbox has ended. */
  over = false;
  #events = 0;
  #waiting = new Set<() => void>();

  constructor(control: Control) {
    void this.#follow(control);
  }

  async #follow(control: Control): Promise<void> {
    try {
      const lines = createInterface({ input: await control.open('GET', '/log?from=1&follow=true') });
      for await (const line of lines) {
        this.entries.push(JSON.parse(line) as Entry);
        this.wake();
      }
    } catch {
      // The sandbox has ended, which `over` tells.
    }
    this.over = true;
    this.wake();
  }

  /** How many times something has changed. */
  get events(): number {
    return this.#events;
  }

  /** Lets all who wait look again. */
  wake(): void {
    this.#events += 1;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const go of waiting) go();
  }

  /** Waits until more than `seen` things have changed; returns false if that takes longer. */
  wait(seen: number, ms: number): Promise<boolean> {
    if (this.#events > seen) return Promise.resolve(true);
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(late);
        resolve(true);
      };
      const late = setTimeout(() => {
        this.#waiting.delete(go);
        resolve(false);
      }, ms);
      this.#waiting.add(go);
    });
  }
}
