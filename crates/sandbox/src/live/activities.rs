//! Activities that are launched by their entry point command.

use std::time::Instant;

use super::interactions::activity_instance;
use super::{Live, Trigger};
use crate::error::{ApiError, ApiResult};
use crate::snowflake::Snowflake;
use crate::state::interaction::Response;
use crate::validate::command::kind;

/// Handler of an entry point command that leaves launching to Discord.
const DISCORD_LAUNCH_ACTIVITY: u8 = 2;

impl Live<'_> {
    /// Returns whether Discord handles this interaction itself: an entry point command that says so.
    pub(super) fn launches_itself(&self, trigger: &Trigger) -> bool {
        let is_entry_point = matches!(trigger.command, Some((_, kind::PRIMARY_ENTRY_POINT)));
        let id = trigger.data["id"].as_str().and_then(|id| id.parse().ok());
        let application = self.applications.get(&trigger.application).filter(|_| is_entry_point);
        let command = application.zip(id).and_then(|(found, id)| found.commands.get(None, id));
        command.is_some_and(|command| command.definition.handler == Some(DISCORD_LAUNCH_ACTIVITY))
    }

    /// Launches the Activity in place of the application: with a message in the channel, and no interaction for the bot.
    pub(super) fn launch(&mut self, id: Snowflake) -> ApiResult<()> {
        let message = self.blank_answer(id)?;
        let message = self.publish(message);
        let interaction = self.interactions.get(id).ok_or_else(ApiError::unknown_interaction)?;
        let instance = activity_instance(id, interaction.guild_id, interaction.channel_id);
        self.interactions.totals.acknowledged += 1;
        if let Some(interaction) = self.interactions.get_mut(id) {
            let now = Instant::now();
            interaction.original = Some(message);
            interaction.acknowledged = Some(now);
            interaction.seen_at(now, Response::Launched(instance));
        }
        Ok(())
    }
}
