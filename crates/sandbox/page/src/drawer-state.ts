import { signal } from '@preact/signals';

export type Tab = 'interactions' | 'log' | 'sessions' | 'faults' | 'snapshots' | 'bot';

/** The open tab of the developer's drawer; `null` if it is closed. */
export const drawer = signal<Tab | null>(null);
