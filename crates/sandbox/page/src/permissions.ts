// Discord's permissions: bits by name, and what a user may do in a channel.

import type { Channel } from './types';

export const PERMISSIONS = {
  CREATE_INSTANT_INVITE: 0, KICK_MEMBERS: 1, BAN_MEMBERS: 2, ADMINISTRATOR: 3, MANAGE_CHANNELS: 4, MANAGE_GUILD: 5,
  ADD_REACTIONS: 6, VIEW_AUDIT_LOG: 7, PRIORITY_SPEAKER: 8, STREAM: 9, VIEW_CHANNEL: 10, SEND_MESSAGES: 11,
  SEND_TTS_MESSAGES: 12, MANAGE_MESSAGES: 13, EMBED_LINKS: 14, ATTACH_FILES: 15, READ_MESSAGE_HISTORY: 16,
  MENTION_EVERYONE: 17, USE_EXTERNAL_EMOJIS: 18, VIEW_GUILD_INSIGHTS: 19, CONNECT: 20, SPEAK: 21, MUTE_MEMBERS: 22,
  DEAFEN_MEMBERS: 23, MOVE_MEMBERS: 24, USE_VAD: 25, CHANGE_NICKNAME: 26, MANAGE_NICKNAMES: 27, MANAGE_ROLES: 28,
  MANAGE_WEBHOOKS: 29, MANAGE_GUILD_EXPRESSIONS: 30, USE_APPLICATION_COMMANDS: 31, REQUEST_TO_SPEAK: 32,
  MANAGE_EVENTS: 33, MANAGE_THREADS: 34, CREATE_PUBLIC_THREADS: 35, CREATE_PRIVATE_THREADS: 36,
  USE_EXTERNAL_STICKERS: 37, SEND_MESSAGES_IN_THREADS: 38, USE_EMBEDDED_ACTIVITIES: 39, MODERATE_MEMBERS: 40,
  USE_SOUNDBOARD: 42, CREATE_GUILD_EXPRESSIONS: 43, CREATE_EVENTS: 44, USE_EXTERNAL_SOUNDS: 45,
  SEND_VOICE_MESSAGES: 46, SEND_POLLS: 49, USE_EXTERNAL_APPS: 50, PIN_MESSAGES: 51, BYPASS_SLOWMODE: 52,
} as const;

export type Permission = keyof typeof PERMISSIONS;

export const NAMES = Object.keys(PERMISSIONS) as Permission[];

export function has(bits: string | undefined, permission: Permission): boolean {
  if (!bits) return false;
  const value = BigInt(bits);
  return ((value >> BigInt(PERMISSIONS[permission])) & 1n) === 1n || ((value >> 3n) & 1n) === 1n;
}

/** Returns whether a bit is set itself, whatever an administrator may do. */
export function bit(bits: string | undefined, permission: Permission): boolean {
  return bits !== undefined && ((BigInt(bits) >> BigInt(PERMISSIONS[permission])) & 1n) === 1n;
}

export function may(channel: Channel | undefined, permission: Permission): boolean {
  return channel !== undefined && has(channel.permissions, permission);
}

export function maySend(channel: Channel): boolean {
  return may(channel, channel.thread_metadata ? 'SEND_MESSAGES_IN_THREADS' : 'SEND_MESSAGES');
}
