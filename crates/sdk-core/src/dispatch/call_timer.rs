//! Reports of ended calls to the observer: their names as registered, and their durations.

use std::time::Instant;

use crate::Command;
use crate::host::Host;
use crate::observer::{Call, Outcome, Trigger};

/// The start of a call, for measuring its duration.
pub(crate) struct CallTimer(Instant);

impl CallTimer {
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    /// Reports to the observer that the call has ended.
    pub(crate) fn report(&self, host: &Host, trigger: Trigger, name: &str, outcome: Outcome) {
        if let Some(observer) = host.observer() {
            observer.call(&Call { trigger, name, outcome, took: self.0.elapsed() });
        }
    }
}

/// Returns the registered name of the command that `path` leads to. The path holds a command's name and those of its
/// subcommands.
pub(crate) fn registered<'a, 'p>(
    commands: &'a [Command],
    path: impl IntoIterator<Item = &'p str>,
) -> Option<&'a str> {
    let (mut level, mut found) = (commands, None);
    for word in path {
        let is_meant = |command: &&Command| {
            let mut names = std::iter::once(&command.name).chain(command.aliases.iter());
            names.any(|name| name.eq_ignore_ascii_case(word) || name.to_lowercase() == word)
        };
        let Some(command) = level.iter().find(is_meant) else { break };
        (level, found) = (&command.subcommands, Some(command));
    }
    found.map(|command| match &*command.qualified_name {
        "" => &*command.name,
        name => name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(name: &'static str, subcommands: Vec<Command>) -> Command {
        Command { name: name.into(), subcommands, ..Command::default() }
    }

    #[test]
    fn a_name_is_that_of_what_was_registered_and_never_what_was_typed() {
        let mut dev = command("dev", vec![command("reload", Vec::new())]);
        dev.aliases = vec!["d".into()].into();
        let mut commands = vec![command("ping", Vec::new()), dev];
        poise::set_qualified_names(&mut commands);
        let name = |path: &[&str]| registered(&commands, path.iter().copied());
        assert_eq!(name(&["ping"]), Some("ping"));
        assert_eq!(name(&["ping", "anything"]), Some("ping"));
        assert_eq!(name(&["dev", "reload"]), Some("dev reload"));
        assert_eq!(name(&["D", "RELOAD"]), Some("dev reload"));
        assert_eq!(name(&["dev", "typed"]), Some("dev"));
        assert_eq!(name(&["typed"]), None);
    }
}
