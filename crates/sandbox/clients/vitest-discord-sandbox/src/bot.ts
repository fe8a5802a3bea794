/** A bot that runs as a process of its own. */

import type { ChildProcess } from 'node:child_process';

/** A bot under test. */
export class BotProcess {
  #output = '';
  readonly #ended: Promise<void>;
  #how: string | undefined;

  /** @param onEnd is called when it ends */
  constructor(
    private readonly child: ChildProcess,
    onEnd: () => void,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
    this.#ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.#how ??= how;
        onEnd();
        resolve();
      };
      child.once('error', (why) => end(why.message));
      child.once('close', (code, signal) => end(signal ?? `exit code ${code}`));
    });
  }

  /** What it has printed so far. */
  get output(): string {
    return this.#output;
  }

  /** How it ended; undefined while it runs. */
  get ended(): string | undefined {
    return this.#how === undefined ? undefined : `the bot ended with ${this.#how}; its output:\n${this.#output}`;
  }

  /** Asks it to end, and after 10 s makes it. */
  async stop(): Promise<void> {
    if (this.#how === undefined) this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    await this.#ended;
    clearTimeout(late);
  }
}
