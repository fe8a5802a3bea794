// Which generation of a plugin wrote a message: the one that was live when what led to the message began, since a call
// ends in the code in which it has begun.

import { ledgers } from './bot';
import type { Message } from './types';

export function generationOf(message: Message): { plugin: string; generation: number | null } | null {
  const { source } = message;
  if (!source) return null;
  const ledger = ledgers.value.find((one) => one.plugin === source.name);
  const row = ledger?.rows.find((one) => one.live_at !== null && one.live_at <= source.at_ms && (one.retired_at === null || source.at_ms < one.retired_at));
  return { plugin: source.name, generation: row?.generation ?? null };
}
