//! Events of a guild, reported in #general, and the start.

use serenity::all::*;

use crate::{Bot, Outcome, interactions, messages};

fn complain(outcome: Outcome) {
    if let Err(error) = outcome {
        eprintln!("error: {error:?}");
    }
}

impl Bot {
    async fn report(&self, ctx: &Context, text: String) {
        let general = self.guild.get().and_then(|guild| {
            let guild = guild.to_guild_cached(&ctx.cache)?;
            guild.channels.values().find(|channel| channel.name == "general").map(|channel| channel.id)
        });
        if let Some(channel) = general {
            complain(channel.say(ctx, text).await.map(drop).map_err(Into::into));
        }
    }
}

fn name(ctx: &Context, user: UserId) -> String {
    ctx.cache.user(user).map_or_else(|| user.to_string(), |user| user.name.clone())
}

#[async_trait]
impl EventHandler for Bot {
    async fn guild_create(&self, ctx: Context, guild: Guild, is_new: Option<bool>) {
        if self.guild.set(guild.id).is_ok() {
            complain(interactions::register(&ctx, &guild).await);
        } else if is_new == Some(true) {
            self.report(&ctx, format!("guild {}", guild.name)).await;
        }
    }

    async fn interaction_create(&self, ctx: Context, interaction: Interaction) {
        complain(interactions::handle(&ctx, interaction).await);
    }

    async fn message(&self, ctx: Context, message: Message) {
        if !message.author.bot {
            complain(messages::handle(self, &ctx, message).await);
        }
    }

    async fn guild_member_addition(&self, ctx: Context, member: Member) {
        self.report(&ctx, format!("join {}", member.user.name)).await;
    }

    async fn guild_member_removal(&self, ctx: Context, _: GuildId, user: User, _: Option<Member>) {
        self.report(&ctx, format!("leave {}", user.name)).await;
    }

    async fn guild_member_update(
        &self,
        ctx: Context,
        _: Option<Member>,
        _: Option<Member>,
        event: GuildMemberUpdateEvent,
    ) {
        if event.nick.as_deref() == Some("Bobby") {
            self.report(&ctx, format!("member {} Bobby", event.user.name)).await;
        }
    }

    async fn message_update(
        &self,
        ctx: Context,
        _: Option<Message>,
        _: Option<Message>,
        event: MessageUpdateEvent,
    ) {
        if event.author.is_some_and(|author| !author.bot) {
            self.report(&ctx, format!("edit {}", event.content.unwrap_or_default())).await;
        }
    }

    async fn message_delete(&self, ctx: Context, _: ChannelId, id: MessageId, guild: Option<GuildId>) {
        // The author is not in any cache any more. All are reported except the bot's own post.
        if guild.is_some()
            && self.post.lock().is_ok_and(|post| post.as_ref().is_none_or(|post| post.id != id))
        {
            self.report(&ctx, format!("delete {id}")).await;
        }
    }

    async fn reaction_add(&self, ctx: Context, reaction: Reaction) {
        if let Some(user) = reaction.user_id.filter(|user| *user != ctx.cache.current_user().id) {
            self.report(&ctx, format!("react {} {}", reaction.emoji, name(&ctx, user))).await;
        }
    }

    async fn reaction_remove(&self, ctx: Context, reaction: Reaction) {
        if let Some(user) = reaction.user_id.filter(|user| *user != ctx.cache.current_user().id) {
            self.report(&ctx, format!("unreact {} {}", reaction.emoji, name(&ctx, user))).await;
        }
    }

    async fn presence_update(&self, ctx: Context, presence: Presence) {
        if let Some(activity) = presence.activities.first().filter(|_| name(&ctx, presence.user.id) == "bob")
        {
            self.report(&ctx, format!("presence bob {} {}", presence.status.name(), activity.name)).await;
        }
    }

    async fn typing_start(&self, ctx: Context, typing: TypingStartEvent) {
        if typing.user_id != ctx.cache.current_user().id {
            self.report(&ctx, format!("typing {}", name(&ctx, typing.user_id))).await;
        }
    }

    async fn voice_state_update(&self, ctx: Context, _: Option<VoiceState>, state: VoiceState) {
        let channel = match state.channel_id {
            Some(id) => id.name(&ctx).await.unwrap_or_default(),
            None => "none".to_owned(),
        };
        self.report(&ctx, format!("voice {} {channel}", name(&ctx, state.user_id))).await;
    }

    async fn thread_create(&self, ctx: Context, thread: GuildChannel) {
        if thread.name == "First" {
            self.report(&ctx, "thread First".to_owned()).await;
        }
    }

    async fn thread_update(&self, ctx: Context, _: Option<GuildChannel>, thread: GuildChannel) {
        if thread.name == "First" && thread.thread_metadata.is_some_and(|data| data.archived) {
            self.report(&ctx, "archived First".to_owned()).await;
        }
    }

    async fn poll_vote_add(&self, ctx: Context, event: MessagePollVoteAddEvent) {
        self.report(&ctx, format!("vote {}", name(&ctx, event.user_id))).await;
    }

    async fn poll_vote_remove(&self, ctx: Context, event: MessagePollVoteRemoveEvent) {
        self.report(&ctx, format!("unvote {}", name(&ctx, event.user_id))).await;
    }

    async fn channel_create(&self, ctx: Context, channel: GuildChannel) {
        if channel.name == "news" {
            self.report(&ctx, "channel news".to_owned()).await;
        }
    }

    async fn guild_role_create(&self, ctx: Context, role: Role) {
        if role.name == "Artist" {
            self.report(&ctx, "role Artist".to_owned()).await;
        }
    }
}
