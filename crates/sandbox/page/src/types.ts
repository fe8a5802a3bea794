// The objects of the control API, as far as the page reads them. They are Discord's, with a few fields more.

export type Id = string;

export interface User {
  id: Id;
  username: string;
  global_name: string | null;
  discriminator: string;
  bot?: boolean;
  locale?: string;
  avatar?: string | null;
}

export interface Member {
  user: User;
  nick?: string | null;
  roles: Id[];
  communication_disabled_until?: string | null;
  mute?: boolean;
  deaf?: boolean;
}

export interface Role {
  id: Id;
  name: string;
  color: number;
  position: number;
  hoist: boolean;
  mentionable: boolean;
  managed?: boolean;
  permissions: string;
}

export interface Overwrite {
  id: Id;
  type: number;
  allow: string;
  deny: string;
}

export interface Tag {
  id: Id;
  name: string;
  moderated?: boolean;
  emoji_name?: string | null;
}

export interface Channel {
  id: Id;
  type: number;
  name: string;
  guild_id?: Id;
  parent_id?: Id | null;
  position?: number;
  topic?: string | null;
  nsfw?: boolean;
  permissions: string;
  permission_overwrites?: Overwrite[];
  recipients?: User[];
  last_message_id?: Id | null;
  rate_limit_per_user?: number;
  user_limit?: number;
  status?: string;
  owner_id?: Id;
  member?: unknown;
  message_count?: number;
  thread_metadata?: { archived: boolean; locked: boolean; create_timestamp?: string };
  available_tags?: Tag[];
  applied_tags?: Id[];
  flags?: number;
}

export interface Presence {
  user: { id: Id };
  status: string;
  activities: { name: string; type: number; state?: string }[];
}

export interface VoiceState {
  channel_id: Id;
  user_id: Id;
  mute: boolean;
  deaf: boolean;
  self_mute: boolean;
  self_deaf: boolean;
  suppress: boolean;
  request_to_speak_timestamp: string | null;
}

export interface CustomEmoji {
  id: Id;
  name: string;
  animated?: boolean;
}

export interface Guild {
  id: Id;
  name: string;
  icon: string | null;
  owner_id: Id;
  permissions: string;
  roles: Role[];
  emojis: CustomEmoji[];
  channels: Channel[];
  threads: Channel[];
  member_count: number;
  members: Member[];
  presences: Presence[];
  voice_states: VoiceState[];
  stage_instances: { channel_id: Id; topic: string }[];
  scheduled_events: ScheduledEvent[];
  soundboard_sounds: Sound[];
}

export interface ScheduledEvent {
  id: Id;
  channel_id: Id | null;
  creator_id: Id;
  name: string;
  description: string | null;
  scheduled_start_time: string;
  scheduled_end_time: string | null;
  /** 1: scheduled, 2: going on. */
  status: number;
  /** 1: a stage, 2: a voice channel, 3: elsewhere. */
  entity_type: number;
  entity_metadata: { location: string } | null;
  user_count: number;
  /** Whether the user of the page is interested. */
  interested: boolean;
}

export interface Sound {
  sound_id: Id;
  name: string;
  volume: number;
  emoji_id: Id | null;
  emoji_name: string | null;
  /** Absent for the default ones. */
  guild_id?: Id;
  available: boolean;
}

export interface Invite {
  code: string;
  guild: { id: Id; name: string } | null;
  channel: { id: Id; name: string } | null;
  inviter?: User;
  expires_at: string | null;
  approximate_member_count?: number;
  uses?: number;
  max_uses?: number;
}

export interface Snapshot {
  name: string;
  bytes: number;
  saved_at?: string;
  guilds?: number;
  channels?: number;
  messages?: number;
  error?: string;
}

export interface Bot {
  id: Id;
  name: string;
  owner: Id;
  online: boolean;
}

export interface View {
  user: User;
  users: User[];
  bots: Bot[];
  names: { id: Id; name: string }[];
  direct_messages: Channel[];
  guilds: Guild[];
  default_sounds: Sound[];
  url: string;
  version: string;
}

export interface Attachment {
  id: Id;
  filename: string;
  title?: string;
  description?: string;
  size: number;
  url: string;
  content_type?: string;
  width?: number;
  height?: number;
  flags?: number;
  duration_secs?: number;
}

export interface EmojiRef {
  id?: Id | null;
  name: string | null;
  animated?: boolean;
}

export interface Reaction {
  emoji: EmojiRef;
  count: number;
  me: boolean;
}

export interface Media {
  url: string;
  width?: number;
  height?: number;
}

export interface Embed {
  title?: string;
  type?: string;
  description?: string;
  url?: string;
  timestamp?: string;
  color?: number;
  footer?: { text: string; icon_url?: string };
  image?: Media;
  thumbnail?: Media;
  video?: Media;
  author?: { name: string; url?: string; icon_url?: string };
  provider?: { name: string };
  fields?: { name: string; value: string; inline?: boolean }[];
}

export interface SelectOption {
  label: string;
  value: string;
  description?: string;
  emoji?: EmojiRef;
  default?: boolean;
}

/** A component of a message or modal of any type; each reads its own fields. */
export interface Component {
  type: number;
  id?: number;
  custom_id?: string;
  style?: number;
  label?: string;
  description?: string;
  emoji?: EmojiRef;
  url?: string;
  sku_id?: Id;
  disabled?: boolean;
  options?: SelectOption[];
  placeholder?: string;
  min_values?: number;
  max_values?: number;
  min_length?: number;
  max_length?: number;
  required?: boolean;
  value?: string;
  default?: boolean;
  channel_types?: number[];
  file_types?: string[];
  default_values?: { id: Id; type: string }[];
  components?: Component[];
  component?: Component;
  accessory?: Component;
  content?: string;
  media?: Media;
  file?: Media;
  name?: string;
  size?: number;
  items?: { media: Media; description?: string; spoiler?: boolean }[];
  spoiler?: boolean;
  divider?: boolean;
  spacing?: number;
  accent_color?: number | null;
}

export interface PollAnswer {
  answer_id: number;
  poll_media: { text?: string; emoji?: EmojiRef };
}

export interface Poll {
  question: { text?: string };
  answers: PollAnswer[];
  expiry: string | null;
  allow_multiselect: boolean;
  results?: { is_finalized: boolean; answer_counts: { id: number; count: number; me_voted: boolean }[] };
}

export interface Message {
  id: Id;
  channel_id: Id;
  type: number;
  content: string;
  author: User;
  timestamp: string;
  edited_timestamp: string | null;
  mention_everyone: boolean;
  mentions: User[];
  mention_roles: Id[];
  attachments: Attachment[];
  embeds: Embed[];
  components: Component[];
  pinned: boolean;
  flags: number;
  reactions?: Reaction[];
  sticker_items?: { id: Id; name: string; format_type: number }[];
  webhook_id?: Id;
  application_id?: Id;
  message_reference?: { type: number; channel_id: Id; message_id?: Id };
  referenced_message?: Message | null;
  interaction_metadata?: {
    id: Id;
    type: number;
    user: User;
    name?: string;
    command_type?: number;
    interacted_message_id?: Id;
    triggering_interaction_metadata?: { name?: string };
  };
  message_snapshots?: { message: Partial<Message> }[];
  poll?: Poll;
  thread?: Channel;
  /** The part of its bot that wrote it, and when what led to it began. */
  source?: { name: string; at_ms: number };
  /** Made by the page: only its user sees it, and no server knows it. */
  local?: { kind: 'sending' | 'failed'; text: string; hint?: string };
}

export interface Choice {
  name: string;
  name_localized?: string;
  value: string | number;
}

export interface Option {
  type: number;
  name: string;
  name_localized?: string;
  description: string;
  description_localized?: string;
  required?: boolean;
  choices?: Choice[];
  options?: Option[];
  channel_types?: number[];
  min_value?: number;
  max_value?: number;
  min_length?: number;
  max_length?: number;
  autocomplete?: boolean;
}

export interface Command extends Option {
  id: Id;
  application_id: Id;
}

export interface Modal {
  title: string;
  custom_id: string;
  components: Component[];
}

export interface Sku {
  id: Id;
  name: string;
  /** With bit 7 it is a subscription of a guild. */
  flags: number;
}

export interface Answer {
  interaction: Id;
  modal?: Modal;
  choices?: Choice[];
  activity?: string;
  purchase?: Sku;
  error?: string;
  hint?: string;
  deferred: boolean;
}

/** An entry of the log. Its other fields depend on the kind. */
export interface Entry {
  n: number;
  at_us: number;
  kind: string;
  [field: string]: any;
}
