//! Carrying out rules of auto moderation on messages and profiles.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use discord_rules::auto_moderation::{Match, Matcher};
use serde_json::json;

use super::super::{Live, MemberChange};
use super::field;
use crate::error::{ApiError, ApiResult};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::auto_moderation::Rule;
use crate::state::channel::Channel;
use crate::state::guild::{Guild, QUARANTINED};
use crate::state::message::{Author, Message};
use crate::state::picture_hash;
use crate::validate::Change;
use crate::validate::auto_moderation::{Action, MEMBER_UPDATE, MESSAGE_SEND, event_of};

/// Type of the message that reports what triggered a rule.
const AUTO_MODERATION_ACTION: u8 = 24;
/// Number of equal messages of a member within [`SPAM_WINDOW`] that count as spam, the newest included.
const SPAM_REPEATS: usize = 5;
/// See [`SPAM_REPEATS`].
const SPAM_WINDOW: Duration = Duration::from_secs(10);

/// A rule that a text has triggered.
#[derive(Debug, Clone)]
pub(in crate::live) struct Verdict {
    rule: Arc<Rule>,
    found: Match,
}

/// What triggered a rule, besides the text.
#[derive(Debug, Clone, Copy, Default)]
struct Subject {
    user: Snowflake,
    channel: Option<Snowflake>,
    message: Option<Snowflake>,
    /// For a profile: which name, and when it was looked at.
    profile: Option<(&'static str, &'static str)>,
}

impl Live<'_> {
    /// Judges a message that a user sends, or the new text of one that they edit. If a rule blocks it, all actions of the
    /// triggered rules are carried out.
    ///
    /// # Errors
    /// If a rule blocks the message, with its explanation.
    pub(in crate::live) fn moderate(
        &mut self,
        user: Snowflake,
        channel_id: Snowflake,
        content: &str,
    ) -> ApiResult<Vec<Verdict>> {
        let verdicts = self.judge(user, channel_id, content);
        let explanation = verdicts.iter().flat_map(|verdict| &verdict.rule.actions).find_map(|action| {
            let Action::BlockMessage { custom_message } = action else { return None };
            Some(custom_message.clone())
        });
        let Some(explanation) = explanation else { return Ok(verdicts) };
        let subject = Subject { user, channel: Some(channel_id), ..Subject::default() };
        self.carry_out(&verdicts, subject, content, true);
        let error = ApiError::blocked_by_auto_moderation();
        Err(match explanation {
            Some(text) => ApiError::new(error.status(), error.code(), format!("{}: {text}", error.message())),
            None => error,
        })
    }

    /// Carries out the actions of rules that did not block a message, which has been posted.
    pub(in crate::live) fn flag(
        &mut self,
        verdicts: &[Verdict],
        user: Snowflake,
        channel: Snowflake,
        message: Snowflake,
        content: &str,
    ) {
        let subject = Subject { user, channel: Some(channel), message: Some(message), ..Subject::default() };
        self.carry_out(verdicts, subject, content, false);
    }

    /// Quarantines a member whose names trigger a rule, and releases one whose names do not any more.
    pub(in crate::live) fn judge_profile(
        &mut self,
        guild_id: Snowflake,
        user: Snowflake,
        event: &'static str,
    ) {
        let Some(guild) = self.guilds.get(&guild_id) else { return };
        let (Some(member), Ok(account)) = (guild.members.get(&user), self.user(user)) else { return };
        let was_quarantined = member.quarantined();
        if guild.auto_moderation.is_empty() && !was_quarantined {
            return;
        }
        let names = [
            ("nickname", member.nick.clone()),
            ("display_name", account.global_name.clone()),
            ("username", Some(account.username.clone())),
        ];
        let triggered =
            names.into_iter().filter_map(|(kind, name)| Some((kind, name?))).find_map(|(kind, name)| {
                let verdicts = self.verdicts(guild, user, None, &name, MEMBER_UPDATE);
                (!verdicts.is_empty()).then_some((kind, name, verdicts))
            });
        match triggered {
            Some((kind, name, verdicts)) if !was_quarantined => {
                let subject = Subject { user, profile: Some((kind, event)), ..Subject::default() };
                self.carry_out_in(guild_id, &verdicts, subject, &name, false);
            }
            None if was_quarantined => self.set_quarantine(guild_id, user, false),
            _ => {}
        }
    }

    fn judge(&self, user: Snowflake, channel_id: Snowflake, content: &str) -> Vec<Verdict> {
        let Some(channel) = self.channels.get(&channel_id) else { return Vec::new() };
        let guild = channel.guild_id.and_then(|id| self.guilds.get(&id));
        let Some(guild) = guild.filter(|guild| !guild.auto_moderation.is_empty()) else { return Vec::new() };
        self.verdicts(guild, user, Some(channel), content, MESSAGE_SEND)
    }

    fn verdicts(
        &self,
        guild: &Guild,
        user: Snowflake,
        channel: Option<&Channel>,
        text: &str,
        event: u8,
    ) -> Vec<Verdict> {
        // Bots, owners, and members who could change the rules are exempt from all.
        let is_bot = self.users.get(&user).is_none_or(|user| user.bot);
        if is_bot || self.guild_permissions(user, guild).contains(Permissions::MANAGE_GUILD) {
            return Vec::new();
        }
        let roles = guild.members.get(&user).map_or(&[][..], |member| &member.roles);
        let places = self.with_parents(channel);
        let applies = |rule: &&Rule| {
            rule.enabled
                && event_of(rule.trigger.kind()) == event
                && !roles.iter().any(|role| rule.exempt_roles.contains(role))
                && !places.iter().any(|place| rule.exempt_channels.contains(place))
        };
        let rules = guild.auto_moderation.values().filter(applies);
        let verdict = |rule: &Rule| {
            let found = rule.matcher.find(text).or_else(|| {
                let repeats = matches!(*rule.matcher, Matcher::Spam) && self.repeats(guild, user, text);
                repeats.then(Match::default)
            })?;
            Some(Verdict { rule: Arc::new(rule.clone()), found })
        };
        rules.filter_map(verdict).collect()
    }

    /// Returns a channel and those above it: a thread's parent, and the category.
    fn with_parents(&self, channel: Option<&Channel>) -> HashSet<Snowflake> {
        let above = |channel: &&Channel| channel.parent_id.and_then(|id| self.channels.get(&id));
        std::iter::successors(channel, above).map(|channel| channel.id).collect()
    }

    /// Returns whether a member has posted this text so often that it is spam.
    fn repeats(&self, guild: &Guild, user: Snowflake, text: &str) -> bool {
        let window = u64::try_from(SPAM_WINDOW.as_millis()).unwrap_or(u64::MAX);
        let since = Snowflake::first_at(self.next_id().timestamp_ms().saturating_sub(window));
        let channels = guild.channels.iter().chain(&guild.threads).filter_map(|id| self.channels.get(id));
        let recent = channels.flat_map(|channel| channel.messages.range(since..));
        let same = recent.filter(|(_, message)| message.author_id() == Some(user) && message.content == text);
        !text.is_empty() && same.count() + 1 >= SPAM_REPEATS
    }

    fn carry_out(&mut self, verdicts: &[Verdict], subject: Subject, content: &str, blocked: bool) {
        let channel = subject.channel.and_then(|id| self.channels.get(&id));
        if let Some(guild) = channel.and_then(|channel| channel.guild_id) {
            self.carry_out_in(guild, verdicts, subject, content, blocked);
        }
    }

    fn carry_out_in(
        &mut self,
        guild: Snowflake,
        verdicts: &[Verdict],
        subject: Subject,
        content: &str,
        blocked: bool,
    ) {
        for verdict in verdicts {
            for action in &verdict.rule.actions {
                self.execute(guild, verdict, action, subject, content, blocked);
            }
        }
    }

    /// Carries out one action, writes the audit log and sends the event.
    fn execute(
        &mut self,
        guild: Snowflake,
        verdict: &Verdict,
        action: &Action,
        subject: Subject,
        content: &str,
        blocked: bool,
    ) {
        let Verdict { rule, found } = verdict;
        let Subject { user, channel, message, .. } = subject;
        let mut alert = None;
        let logged = match action {
            Action::BlockMessage { .. } => 143,
            Action::Alert { channel_id } => {
                alert = self.send_alert(*channel_id, verdict, subject, content, blocked);
                144
            }
            Action::Timeout { duration_seconds } => {
                let until = self.clock.now() + Duration::from_secs(u64::from(*duration_seconds));
                let change = MemberChange { timeout: Change::Set(until), ..MemberChange::default() };
                // A member who has left meanwhile needs no timeout.
                let _ = self.change_member(guild, user, change);
                145
            }
            Action::BlockMember => {
                self.set_quarantine(guild, user, true);
                146
            }
        };
        let kind = rule.trigger.kind();
        let mut options = json!({
            "auto_moderation_rule_name": rule.name,
            "auto_moderation_rule_trigger_type": kind.to_string(),
        });
        let mut event = json!({
            "guild_id": guild,
            "action": action.json(),
            "rule_id": rule.id,
            "rule_trigger_type": kind,
            "user_id": user,
            "content": content,
            "matched_keyword": found.keyword,
            "matched_content": found.content,
        });
        if let Some(channel) = channel {
            options["channel_id"] = json!(channel);
            event["channel_id"] = json!(channel);
        }
        if let Some(message) = message {
            event["message_id"] = json!(message);
        }
        if let Some(alert) = alert {
            event["alert_system_message_id"] = json!(alert);
        }
        self.audit_with_options(guild, logged, user, Some(user), None, &options);
        self.dispatch_moderators(guild, "AUTO_MODERATION_ACTION_EXECUTION", &event);
    }

    /// Reports what triggered a rule, in the name of its author. Returns the message; `None` if the channel is gone.
    fn send_alert(
        &mut self,
        alerts: Snowflake,
        verdict: &Verdict,
        subject: Subject,
        content: &str,
        blocked: bool,
    ) -> Option<Snowflake> {
        self.channels.get(&alerts)?;
        let Verdict { rule, found } = verdict;
        let mut fields = vec![field("rule_name", &rule.name)];
        fields.extend(subject.channel.map(|channel| field("channel_id", &channel)));
        fields.push(field("decision_id", &picture_hash()));
        fields.extend(found.keyword.as_ref().map(|keyword| field("keyword", keyword)));
        fields.extend(found.content.as_ref().map(|content| field("keyword_matched_content", content)));
        fields.extend(subject.message.map(|message| field("flagged_message_id", &message)));
        for action in &rule.actions {
            if let Action::Timeout { duration_seconds } = action {
                fields.push(field("timeout_duration", duration_seconds));
            }
        }
        if let Some((name, event)) = subject.profile {
            fields.push(field("quarantine_user", name));
            if rule.actions.contains(&Action::BlockMember) {
                fields.push(field("quarantine_user_action", "quarantine_user"));
            }
            fields.push(field("quarantine_event", event));
        }
        fields.push(field("decision_outcome", if blocked { "blocked" } else { "flagged" }));
        let mut alert = Message::new(self.next_id(), alerts, Author::User(subject.user));
        alert.kind = AUTO_MODERATION_ACTION;
        alert.embeds =
            vec![json!({ "type": "auto_moderation_message", "description": content, "fields": fields })];
        Some(self.publish(alert))
    }

    fn set_quarantine(&mut self, guild: Snowflake, user: Snowflake, quarantined: bool) {
        let Ok(member) = self.member(guild, user) else { return };
        let flags = if quarantined { member.flags | QUARANTINED } else { member.flags & !QUARANTINED };
        if flags != member.flags {
            let change = MemberChange { flags: Change::Set(flags), ..MemberChange::default() };
            // The member is there.
            let _ = self.change_member(guild, user, change);
        }
    }
}
