/** vitest's fixtures: a sandbox for each test, its people, and the log of a failed test. */

import { test as base, expect } from 'vitest';

import type { Actor } from './actor.js';
import type { Guild } from './guild.js';
import { Sandbox } from './sandbox.js';

/** What a test can ask for. */
export interface Fixtures {
  /** Arguments of `sandbox serve`; `test.extend({ sandboxArgs: async ({}, use) => use(['--no-rate-limits']) })` sets them. */
  sandboxArgs: string[];
  /** A local Discord of this test's own. */
  sandbox: Sandbox;
  /** The guild "Sandbox" with its channels bot-test, general and Lounge. */
  guild: Guild;
  /** The guild's owner. */
  alice: Actor;
  /** A member. */
  bob: Actor;
  /** A member. */
  carol: Actor;
}

/** vitest's `test` with these fixtures. */
export const test = base.extend<Fixtures>({
  // vitest reads the names of fixtures from these patterns, so that they stand where nothing is asked for.
  // eslint-disable-next-line no-empty-pattern
  sandboxArgs: async ({}, use) => {
    await use([]);
  },
  sandbox: async ({ sandboxArgs, task }, use) => {
    const sandbox = await Sandbox.start(sandboxArgs);
    try {
      await use(sandbox);
    } finally {
      if (task.result?.state === 'fail') {
        const outputs = sandbox.outputs.map((output) => `---- output of the bot\n${output}`);
        console.error([`---- discord sandbox of "${task.name}"`, await sandbox.logText(), ...outputs].join('\n'));
      }
      await sandbox.stop();
    }
  },
  guild: async ({ sandbox }, use) => {
    await use(sandbox.guild);
  },
  alice: async ({ sandbox }, use) => {
    await use(await sandbox.actor('alice'));
  },
  bob: async ({ sandbox }, use) => {
    await use(await sandbox.actor('bob'));
  },
  carol: async ({ sandbox }, use) => {
    await use(await sandbox.actor('carol'));
  },
});

export { expect };
