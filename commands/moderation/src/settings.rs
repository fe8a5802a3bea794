//! The plugin's settings of a server.

use std::time::Duration;

use sdk::database::Documents;
use sdk::prelude::*;
use serde::{Deserialize, Serialize};
use serenity::GuildId;

use crate::cases;

/// Maximum number of consequences of a server.
pub(crate) const CONSEQUENCES: usize = 20;

/// What moderation of a server is set to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// What warnings lead to, by ascending points.
    pub(crate) consequences: Vec<Consequence>,
    /// Seconds after which points do not count any more; `None` for never.
    pub(crate) decay: Option<u64>,
}

impl Document for Settings {
    const NAME: &'static str = "settings";
}

/// What happens to a member who reaches a number of points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Consequence {
    pub(crate) points: i64,
    pub(crate) action: Action,
    /// Seconds that a timeout or a temporary ban lasts.
    #[serde(default)]
    pub(crate) seconds: Option<u64>,
}

/// What a consequence does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, poise::ChoiceParameter)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    #[name = "timeout"]
    Timeout,
    #[name = "kick"]
    Kick,
    #[name = "ban"]
    Ban,
}

/// Returns the document with a server's settings.
pub(crate) fn of(data: &Data, guild: GuildId) -> Documents<Settings> {
    data.guild::<Settings>(guild)
}

impl Settings {
    /// Returns the time from which on points count, in seconds since 1970.
    pub(crate) fn points_since(&self) -> i64 {
        let decay = self.decay.and_then(|seconds| i64::try_from(seconds).ok());
        decay.map_or(i64::MIN, |seconds| cases::now() - seconds)
    }

    /// Returns the consequence of a rise of points: the highest of those that were passed.
    pub(crate) fn reached(&self, before: i64, after: i64) -> Option<&Consequence> {
        let passed = |consequence: &&Consequence| (before + 1..=after).contains(&consequence.points);
        self.consequences.iter().filter(passed).max_by_key(|consequence| consequence.points)
    }

    /// Adds a consequence, in place of another for as many points.
    pub(crate) fn set(&mut self, consequence: Consequence) -> Result<(), Refusal> {
        self.consequences.retain(|other| other.points != consequence.points);
        if self.consequences.len() >= CONSEQUENCES {
            return Err(Refusal::new(format!(
                "A server has at most {CONSEQUENCES} consequences; remove one of them first."
            )));
        }
        self.consequences.push(consequence);
        self.consequences.sort_by_key(|consequence| consequence.points);
        Ok(())
    }

    /// Removes the consequence for so many points. Returns whether there was one.
    pub(crate) fn unset(&mut self, points: i64) -> bool {
        let before = self.consequences.len();
        self.consequences.retain(|consequence| consequence.points != points);
        self.consequences.len() < before
    }
}

impl Consequence {
    pub(crate) fn lasts(&self) -> Option<Duration> {
        self.seconds.map(Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let mut settings = Settings::default();
        for (points, action) in [(8, Action::Ban), (3, Action::Timeout), (5, Action::Kick)] {
            settings.set(Consequence { points, action, seconds: None }).unwrap();
        }
        settings
    }

    #[test]
    fn a_rise_has_the_highest_consequence_that_it_passes() {
        let settings = settings();
        let reached = |before, after| settings.reached(before, after).map(|consequence| consequence.action);
        assert_eq!(reached(0, 2), None);
        assert_eq!(reached(2, 3), Some(Action::Timeout));
        assert_eq!(reached(3, 4), None);
        assert_eq!(reached(2, 7), Some(Action::Kick));
        assert_eq!(reached(0, 100), Some(Action::Ban));
        assert_eq!(reached(8, 9), None);
        assert_eq!(reached(3, 3), None);
    }

    #[test]
    fn as_many_points_have_one_consequence_and_there_is_an_end() {
        let mut settings = settings();
        settings.set(Consequence { points: 3, action: Action::Kick, seconds: None }).unwrap();
        assert_eq!(settings.consequences.len(), 3);
        assert_eq!(settings.consequences[0].action, Action::Kick);
        assert!(settings.unset(3) && !settings.unset(3));
        for points in 100..118 {
            settings.set(Consequence { points, action: Action::Kick, seconds: None }).unwrap();
        }
        let full = settings.set(Consequence { points: 200, action: Action::Ban, seconds: None });
        assert!(full.unwrap_err().to_string().contains("at most 20"));
    }
}
