/** A guild of the sandbox. */

import type { Json } from './control.js';
import type { Sandbox } from './sandbox.js';

/** A guild, as its owner changes it. */
export class Guild {
  constructor(
    private readonly sandbox: Sandbox,
    readonly name: string,
    readonly id: string,
  ) {}

  async #named(what: 'channels' | 'roles'): Promise<Record<string, string>> {
    const guilds = ((await this.sandbox.call('GET', '')) as Json).guilds as Json[];
    const own = guilds.find((guild) => guild.id === this.id);
    return Object.fromEntries(((own?.[what] as Json[]) ?? []).map((one) => [one.name as string, one.id as string]));
  }

  /** Returns the ids of its channels by name. */
  channels(): Promise<Record<string, string>> {
    return this.#named('channels');
  }

  /** Returns the ids of its roles by name. */
  roles(): Promise<Record<string, string>> {
    return this.#named('roles');
  }

  /** Creates a channel: `type`, `parent`, `topic`, `nsfw`. Returns Discord's object. */
  newChannel(name: string, fields: Json = {}): Promise<Json> {
    return this.sandbox.call('POST', `/guilds/${this.id}/channels`, { name, ...fields }) as Promise<Json>;
  }

  /** Creates a role: `permissions`, `color`, `mentionable`. Returns Discord's object. */
  newRole(name: string, fields: Json = {}): Promise<Json> {
    return this.sandbox.call('POST', `/guilds/${this.id}/roles`, { name, ...fields }) as Promise<Json>;
  }

  /** Changes the permissions of a role (a bot's has its name), in the guild or in one channel, by Discord's names. */
  async permits(
    role: string,
    { allow = [], deny = [], at }: { allow?: string[]; deny?: string[]; at?: string },
  ): Promise<void> {
    const who = encodeURIComponent(role);
    const place = at === undefined ? `roles/${who}/permissions` : `channels/${encodeURIComponent(at)}/permissions/${who}`;
    await this.sandbox.call('PATCH', `/guilds/${this.id}/${place}`, { allow, deny });
  }
}
