/** Tests of Discord bots against a local Discord, the sandbox. */

export { Actor, type Options, type Target } from './actor.js';
export { Refused, type Entry, type Json } from './control.js';
export { BotDidNotAnswer, BotEnded, NotHeard, NotSeen, NotStarted } from './errors.js';
export { BotProcess } from './bot.js';
export { Guild } from './guild.js';
export { Sandbox } from './sandbox.js';
export { Message, Reply } from './seen.js';
export { expect, test, type Fixtures } from './fixtures.js';
