//! Where commands are registered, and how long those stay that no plugin defines any more.

use std::time::Duration;

use super::reader::Reader;
use super::value;
use super::value_error::ValueError;

/// Default of `COMMAND_GRACE_MS`: long enough to fix what has just panicked.
const GRACE: Duration = Duration::from_mins(10);
/// Maximum of `COMMAND_GRACE_MS`. A day later, Discord has forgotten the creations that it would save.
const LONGEST_GRACE: u64 = 24 * 60 * 60 * 1000;

/// How commands are registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Commands {
    /// Where they are registered; `None` leaves it to the mode. Production registers globally.
    pub(crate) scope: Option<CommandScope>,
    /// How long a command that no live plugin defines any more stays registered. Production has no such time.
    pub(crate) grace: Duration,
}

/// Where commands are registered outside production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommandScope {
    /// All in the test guild. Those for direct messages and for user installs cannot be used.
    Guild,
    /// Those for direct messages and for user installs globally, the others in the test guild.
    Split,
    /// All globally.
    Global,
}

impl Commands {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let scope = reader.read("COMMAND_SCOPE", |text| match text.to_ascii_lowercase().as_str() {
            "guild" => Ok(CommandScope::Guild),
            "split" => Ok(CommandScope::Split),
            "global" => Ok(CommandScope::Global),
            _ => Err(ValueError::CommandScope),
        });
        let grace = reader.read("COMMAND_GRACE_MS", |text| value::milliseconds(text, 0..=LONGEST_GRACE));
        Self { scope, grace: grace.unwrap_or(GRACE) }
    }
}
