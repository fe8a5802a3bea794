/** The process of a sandbox. */

import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

import { NotStarted } from './errors.js';

/** What the sandbox leaves in its state file. */
export interface State {
  url: string;
  local_url: string;
  token: string;
  control_secret: string;
  guild_id: string;
  voice_root: string;
  proxy?: string;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Returns the path of the program: `SANDBOX_BIN`, else `sandbox` in PATH. */
export function program(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment.SANDBOX_BIN;
  if (named) {
    if (!isProgram(named)) throw new NotStarted(`SANDBOX_BIN is ${named}, which is no program`);
    return named;
  }
  const folders = (environment.PATH ?? '').split(delimiter).filter(Boolean);
  const found = folders.map((folder) => join(folder, 'sandbox')).find(isProgram);
  if (found === undefined) {
    throw new NotStarted(
      'there is no program `sandbox` in PATH; build it (cargo build -p sandbox) and set SANDBOX_BIN to it',
    );
  }
  return found;
}

/** A running `sandbox serve` on a free port of loopback, which ends with this process at the latest. */
export class Process {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly state: State,
  ) {}

  /** Starts it. */
  static async start(args: readonly string[]): Promise<Process> {
    const binary = program();
    const folder = mkdtempSync(join(tmpdir(), 'discord-sandbox-'));
    const file = join(folder, 'sandbox.json');
    // Settings for another sandbox are none for this one.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SANDBOX_')));
    const serve = ['--state-file', file, 'serve', '--listen', '127.0.0.1:0', '--exit-with-stdin', ...args];
    const child = spawn(binary, serve, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', (why) => {
      said += why.message;
      resolve();
    }));
    // The state file is complete by the first line of the greeting.
    const greeted = new Promise<void>((resolve) => createInterface({ input: child.stdout }).once('line', () => resolve()));
    await Promise.race([greeted, ended]);
    if (!existsSync(file)) {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
      throw new NotStarted(`the sandbox did not start: ${said.trim()}`);
    }
    child.stdout.resume();
    return new Process(child, folder, JSON.parse(readFileSync(file, 'utf8')) as State);
  }

  /** Ends it. It has nothing to lose, so it need not be asked. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise((resolve) => this.child.once('close', resolve));
      this.child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
