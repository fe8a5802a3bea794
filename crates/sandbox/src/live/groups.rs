//! Group direct messages: created by bots, joined with access tokens, renamed.

use super::Live;
use crate::error::{ApiError, ApiResult};
use crate::gateway::Intents;
use crate::snowflake::Snowflake;
use crate::state::channel::{Channel, kind};
use crate::state::group::Group;
use crate::state::message::{Author, Message};

/// Most people in a group, with the bot.
const MOST_PEOPLE: usize = 10;
/// Most groups of a bot.
const MOST_GROUPS: usize = 10;

impl Live<'_> {
    /// Returns the user whose access token this is, if they let this application add them to groups.
    fn joining(&self, application: Snowflake, token: &str) -> ApiResult<Snowflake> {
        let found = self.authorization(token).filter(|found| found.application == application);
        let found = found.ok_or_else(ApiError::invalid_access_token)?;
        if found.allows("gdm.join") { Ok(found.user) } else { Err(ApiError::missing_scope()) }
    }

    /// Creates a group of a bot and the users of these access tokens.
    pub fn create_group(&mut self, bot: Snowflake, tokens: &[String]) -> ApiResult<Snowflake> {
        let mut people = vec![bot];
        for token in tokens {
            let user = self.joining(bot, token)?;
            if !people.contains(&user) {
                people.push(user);
            }
        }
        if people.len() > MOST_PEOPLE {
            return Err(ApiError::max_recipients());
        }
        let own = |channel: &&Channel| channel.group.as_ref().is_some_and(|group| group.owner == bot);
        if self.channels.values().filter(own).count() >= MOST_GROUPS {
            return Err(ApiError::max_groups());
        }
        let id = self.next_id();
        let mut channel = Channel::new(id, kind::GROUP_DM, None, "", self.clock.now());
        channel.recipients = people;
        channel.group = Some(Box::new(Group { owner: bot, icon: None }));
        self.channels.insert(id, channel);
        self.group_event(id, "CHANNEL_CREATE");
        Ok(id)
    }

    fn group_event(&self, id: Snowflake, name: &'static str) {
        let Some(channel) = self.channels.get(&id) else { return };
        let shown = |bot| Some(self.channel_json(channel, Some(bot)));
        self.dispatch_each(self.bots_seeing(channel), name, None, Intents::empty(), shown);
    }

    /// Returns a group that a bot owns, to change it.
    fn own_group(&mut self, bot: Snowflake, id: Snowflake) -> ApiResult<&mut Channel> {
        let channel = self.channel_mut(id)?;
        if !channel.recipients.contains(&bot) {
            return Err(ApiError::missing_access());
        }
        match &channel.group {
            None => Err(ApiError::wrong_channel_type()),
            Some(group) if group.owner != bot => Err(ApiError::missing_permissions()),
            Some(_) => Ok(channel),
        }
    }

    /// Adds a user to a group. Returns whether they were not in it yet.
    pub fn add_recipient(
        &mut self,
        bot: Snowflake,
        id: Snowflake,
        user: Snowflake,
        token: &str,
    ) -> ApiResult<bool> {
        self.own_group(bot, id)?;
        if self.joining(bot, token)? != user {
            return Err(ApiError::invalid_access_token());
        }
        let channel = self.own_group(bot, id)?;
        if channel.recipients.contains(&user) {
            return Ok(false);
        }
        if channel.recipients.len() >= MOST_PEOPLE {
            return Err(ApiError::max_recipients());
        }
        channel.recipients.push(user);
        self.group_notice(id, bot, 1, |notice| notice.mentions.push(user));
        Ok(true)
    }

    /// Removes a user from a group.
    pub fn remove_recipient(&mut self, bot: Snowflake, id: Snowflake, user: Snowflake) -> ApiResult<()> {
        let channel = self.own_group(bot, id)?;
        if !channel.recipients.contains(&user) {
            return Err(ApiError::unknown_user());
        }
        channel.recipients.retain(|other| *other != user);
        self.group_notice(id, bot, 2, |notice| notice.mentions.push(user));
        Ok(())
    }

    /// Changes the name and the icon of a group.
    pub fn change_group(
        &mut self,
        bot: Snowflake,
        id: Snowflake,
        name: Option<String>,
        icon: crate::validate::Change<String>,
    ) -> ApiResult<()> {
        let channel = self.own_group(bot, id)?;
        let renamed = name.filter(|name| *name != channel.name);
        if let Some(name) = &renamed {
            channel.name.clone_from(name);
        }
        let pictured = channel.group.as_mut().is_some_and(|group| icon.apply(&mut group.icon));
        if renamed.is_some() || pictured {
            self.group_event(id, "CHANNEL_UPDATE");
        }
        if let Some(name) = renamed {
            self.group_notice(id, bot, 4, |notice| notice.content = name);
        }
        if pictured {
            self.group_notice(id, bot, 5, |_| {});
        }
        Ok(())
    }

    fn group_notice(&mut self, channel: Snowflake, by: Snowflake, kind: u8, fill: impl FnOnce(&mut Message)) {
        let mut notice = Message::new(self.next_id(), channel, Author::User(by));
        notice.kind = kind;
        fill(&mut notice);
        self.publish(notice);
    }
}
