//! A world as a seed file.

use serde_json::{Value, json};

use super::bots::refused;
use super::file::{
    BotMember, Channel, Event, Guild, Invite, Member, Message, Reaction, Seed, Thread, Webhook,
};
use super::from_discord::{Labels, Layout, permission_names};
use super::{Name, name, unplaced};
use crate::snowflake::Snowflake;
use crate::state::auto_moderation::Rule;
use crate::state::channel::{self, kind};
use crate::state::guild as state;
use crate::state::message::{self, Author};
use crate::state::scheduled_event::status;
use crate::state::user::DEFAULT_LOCALE;
use crate::state::{World, clock};
use crate::validate::command::ShownIn;
use crate::validate::message::MessageOrigin;
use crate::validate::reaction::Emoji;

/// A seed, and what it does not contain, one sentence each.
#[derive(Debug)]
pub struct Exported {
    /// The seed.
    pub seed: Seed,
    /// What was left out.
    pub left_out: Vec<String>,
}

impl Exported {
    /// Returns the seed file, which begins with what it lacks.
    ///
    /// # Errors
    /// When it cannot be written, which is a defect.
    pub fn to_yaml(&self) -> Result<String, String> {
        let mut yaml = String::new();
        for sentence in &self.left_out {
            // A line break in what a server said would end the comment.
            yaml.extend([
                "# Left out: ",
                &sentence.replace(char::is_control, " "),
                "
",
            ]);
        }
        yaml += &self.seed.to_yaml()?;
        Ok(yaml)
    }
}

/// Returns the layout of a world as a seed: users, bots with their global commands, and guilds with what seeds can have.
/// Ids are kept; tokens are not written.
pub fn export(world: &World) -> Exported {
    let mut writer = Writer { world, messages: 0 };
    let people = world.users.values().filter(|user| !user.bot && !world.identities.is_provisional(user.id));
    let seed = Seed {
        users: people
            .map(|user| super::file::User {
                name: name(&user.username),
                id: Some(name(user.id.to_string())),
                display_name: user.global_name.clone(),
                locale: Some(&user.locale).filter(|locale| *locale != DEFAULT_LOCALE).map(name),
            })
            .collect(),
        bots: world.applications.values().map(|application| writer.bot(application)).collect(),
        guilds: world.guilds.values().map(|guild| writer.guild(guild)).collect(),
        ..Seed::default()
    };
    let mut left_out = Vec::new();
    if writer.messages > 0 {
        left_out.push(format!(
            "{} messages that a seed can't describe: of webhooks, of the system, with files, polls or stickers alone.",
            writer.messages
        ));
    }
    Exported { seed, left_out }
}

struct Writer<'a> {
    world: &'a World,
    /// Messages that were left out.
    messages: usize,
}

impl Writer<'_> {
    fn user(&self, id: Snowflake) -> Name {
        name(self.world.users.get(&id).map_or_else(|| id.to_string(), |user| user.username.clone()))
    }

    fn is_known(&self, id: Snowflake) -> bool {
        self.world.users.contains_key(&id)
    }

    fn bot(&self, application: &crate::state::user::Application) -> super::file::Bot {
        let all = crate::gateway::Intents::PRIVILEGED;
        let intents = application.privileged;
        let command = |command: &crate::state::command::Command| {
            let mut shown = command.json(ShownIn::Every);
            if let Some(fields) = shown.as_object_mut() {
                for own in ["id", "application_id", "version", "guild_id"] {
                    fields.remove(own);
                }
                fields.retain(|_, value| !value.is_null());
            }
            unplaced(shown)
        };
        super::file::Bot {
            name: self.user(application.id),
            id: Some(name(application.id.to_string())),
            token: None,
            owner: self.is_known(application.owner).then(|| self.user(application.owner)),
            intents: (intents != all).then(|| intents.names().map(name).collect()),
            commands: application.commands.scope(None).map(command).collect(),
        }
    }

    fn guild(&mut self, guild: &state::Guild) -> Guild {
        let world = self.world;
        let channels: Vec<&channel::Channel> =
            guild.channels.iter().filter_map(|id| world.channels.get(id)).collect();
        let members = guild.members.keys().filter(|id| self.is_known(**id));
        let layout = Layout {
            guild: guild.json(),
            channels: channels.iter().map(|channel| channel.json()).collect(),
            emojis: guild.emojis_json(|_| None),
            stickers: guild.stickers.values().map(|sticker| guild.sticker_json(sticker, None)).collect(),
            automod: guild.auto_moderation.values().map(Rule::json).collect(),
            welcome_screen: guild
                .community
                .welcome_screen
                .as_ref()
                .map(crate::state::community::WelcomeScreen::json),
            onboarding: guild.community.onboarding.as_ref().map(|asked| asked.json(guild.id)),
            keeps_ids: true,
            bots_apart: true,
            members: members.map(|id| (id.to_string(), self.user(*id).value)).collect(),
        };
        let listed: Vec<Value> = guild.roles.values().map(crate::state::role::Role::json).collect();
        let roles = Labels::of_list(&listed);
        let mut made = layout.seed();
        // The features that boosts and pages bring come with them.
        made.features = guild.perks.granted.iter().cloned().collect();
        made.owner = Some(self.user(guild.owner_id));
        let is_bot = |id: &Snowflake| world.applications.contains_key(id);
        made.members = guild
            .members
            .values()
            .filter(|member| self.is_known(member.user_id) && !is_bot(&member.user_id))
            .map(|member| self.member(member, &roles))
            .filter(|member| {
                let is_owner = made.owner.as_ref().is_some_and(|owner| owner.value == member.user.value);
                !is_owner || member.nick.is_some() || !member.roles.is_empty()
            })
            .collect();
        let bots = guild.members.values().filter(|member| is_bot(&member.user_id));
        made.bots = Some(bots.map(|member| self.bot_member(guild, member, &roles)).collect());
        let events = guild.scheduled_events.values().filter(|event| event.status == status::SCHEDULED);
        let labels = Labels::of_list(&layout.channels);
        made.events = events
            .filter(|event| event.body.start > world.clock.now() && event.body.recurrence.is_none())
            .map(|event| Event {
                name: name(&event.body.name),
                id: Some(name(event.id.to_string())),
                start: name(clock::iso(event.body.start)),
                end: event.body.end.map(|end| name(clock::iso(end))),
                channel: event.body.channel_id.and_then(|id| labels.get(&json!(id))),
                location: event.body.location.clone(),
                description: event.body.description.clone(),
                creator: self.is_known(event.creator_id).then(|| self.user(event.creator_id)),
                users: event.users.iter().filter(|id| self.is_known(**id)).map(|id| self.user(*id)).collect(),
            })
            .collect();
        for channel in channels {
            if let Some(entry) = entry_of(&mut made.channels, channel.id) {
                self.fill(entry, guild, channel);
            }
        }
        made
    }

    fn member(&self, member: &state::Member, roles: &Labels) -> Member {
        Member {
            user: self.user(member.user_id),
            nick: member.nick.clone(),
            roles: member.roles.iter().filter_map(|role| roles.get(&json!(role))).collect(),
            joined: Some(name(&member.joined_at)),
            pending: member.pending,
        }
    }

    fn bot_member(&self, guild: &state::Guild, member: &state::Member, roles: &Labels) -> BotMember {
        let own = guild.roles.values().find(|role| role.bot_id == Some(member.user_id));
        let further = member.roles.iter().filter(|role| own.is_none_or(|own| own.id != **role));
        BotMember {
            permissions: Some(own.map(|role| permission_names(&json!(role.permissions))).unwrap_or_default()),
            role_id: own.map(|role| name(role.id.to_string())),
            position: own.map(|role| role.position),
            nick: member.nick.clone(),
            roles: further.filter_map(|role| roles.get(&json!(role))).collect(),
            ..BotMember::new(&self.user(member.user_id).value)
        }
    }

    fn fill(&mut self, entry: &mut Channel, guild: &state::Guild, channel: &channel::Channel) {
        let world = self.world;
        entry.messages = self.messages(guild, channel);
        let threads = guild.threads.iter().filter_map(|id| world.channels.get(id));
        entry.threads = threads
            .filter(|thread| thread.parent_id == Some(channel.id))
            .filter_map(|thread| self.thread(guild, channel, thread))
            .collect();
        let webhooks =
            world.webhooks.values().filter(|hook| hook.channel_id == channel.id && hook.follows.is_none());
        entry.webhooks = webhooks
            .map(|hook| Webhook {
                name: name(&hook.name),
                id: Some(name(hook.id.to_string())),
                token: None,
                creator: self.is_known(hook.creator).then(|| self.user(hook.creator)),
            })
            .collect();
        let invites = world.open_invites().filter(|invite| invite.channel_id == channel.id);
        entry.invites = invites
            .map(|invite| Invite {
                code: name(&invite.code),
                inviter: invite.inviter.filter(|id| self.is_known(*id)).map(|id| self.user(id)),
                max_age: Some(invite.max_age).filter(|age| *age > 0),
                max_uses: Some(invite.max_uses).filter(|uses| *uses > 0),
                temporary: invite.temporary,
            })
            .collect();
    }

    fn thread(
        &mut self,
        guild: &state::Guild,
        parent: &channel::Channel,
        channel: &channel::Channel,
    ) -> Option<Thread> {
        let thread = channel.thread.as_ref()?;
        let tag = |id: &Snowflake| {
            let tags = &parent.forum().available_tags;
            let found = tags.iter().find(|tag| tag.id == *id)?;
            let twice = tags.iter().filter(|other| other.name == found.name).count() > 1;
            Some(name(if twice { id.to_string() } else { found.name.clone() }))
        };
        let members = thread.members.keys().filter(|id| {
            **id != thread.owner_id && guild.members.contains_key(*id) && self.world.users.contains_key(*id)
        });
        if !self.is_known(thread.owner_id) {
            self.messages += channel.messages.len();
            return None;
        }
        Some(Thread {
            name: name(&channel.name),
            id: Some(name(channel.id.to_string())),
            owner: self.user(thread.owner_id),
            private: channel.kind == kind::PRIVATE_THREAD,
            archived: thread.archived,
            locked: thread.locked,
            archive_after: Some(thread.auto_archive_duration),
            slowmode: Some(channel.rate_limit_per_user).filter(|seconds| *seconds > 0),
            tags: thread.applied_tags.iter().filter_map(tag).collect(),
            members: members.map(|id| self.user(*id)).collect(),
            messages: self.messages(guild, channel),
        })
    }

    fn messages(&mut self, guild: &state::Guild, channel: &channel::Channel) -> Vec<Message> {
        let mut list = Vec::new();
        for message in channel.messages.values() {
            match self.message(guild, message) {
                Some(message) => list.push(message),
                None => self.messages += 1,
            }
        }
        list
    }

    fn message(&self, guild: &state::Guild, message: &message::Message) -> Option<Message> {
        let Author::User(author) = message.author else { return None };
        let is_plain = matches!(message.kind, 0 | 19 | 20)
            && message.attachments.is_empty()
            && message.shown.is_empty()
            && message.poll.is_none()
            && message.forwarded.is_none()
            && message.stickers.is_empty()
            && message.flags & !message::flag::HAS_THREAD == 0;
        let body =
            json!({ "content": message.content, "embeds": message.embeds, "components": message.components });
        let fits = crate::validate::message::create(&body, &[], MessageOrigin::Channel);
        if !is_plain || !self.is_known(author) || fits.map_err(|error| refused("", &error)).is_err() {
            return None;
        }
        Some(Message {
            author: self.user(author),
            id: Some(name(message.id.to_string())),
            at: None,
            content: Some(&message.content).filter(|text| !text.is_empty()).map(name),
            embeds: message.embeds.iter().cloned().map(unplaced).collect(),
            components: message.components.iter().cloned().map(unplaced).collect(),
            reactions: message
                .reactions
                .iter()
                .filter_map(|reaction| self.reaction(guild, reaction))
                .collect(),
            pinned: message.pinned,
        })
    }

    fn reaction(&self, guild: &state::Guild, reaction: &message::Reaction) -> Option<Reaction> {
        let emoji = match &reaction.emoji {
            Emoji::Unicode(text) => name(text),
            Emoji::Custom { id, .. } => name(guild.emojis.get(id)?.id.to_string()),
        };
        let users: Vec<Name> =
            reaction.users.iter().filter(|id| self.is_known(**id)).map(|id| self.user(*id)).collect();
        (!users.is_empty()).then_some(Reaction { emoji, users })
    }
}

/// Returns the entry of a channel, in a category too.
fn entry_of(list: &mut [Channel], id: Snowflake) -> Option<&mut Channel> {
    let wanted = id.to_string();
    list.iter_mut().find_map(|entry| {
        let is_own = entry.id.as_ref().is_some_and(|own| own.value == wanted);
        if is_own { Some(entry) } else { entry_of(&mut entry.channels, id) }
    })
}
