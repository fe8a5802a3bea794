//! The text of `/help`, independent of Discord.

use poise::ContextMenuCommandAction;
use sdk::autocomplete::CHOICES;
use sdk::prelude::*;
use sdk::{PluginId, text};

/// A command that a user may see, with the name by which it is called.
pub(super) struct Shown<'a> {
    pub(super) name: &'a str,
    plugin: &'a PluginId,
    command: &'a Command,
}

/// Returns commands and subcommands in the order of their plugins, without those that the user may not run.
pub(super) fn visible<'a>(
    commands: impl Iterator<Item = (&'a PluginId, &'a Command)>,
    to_owner: bool,
) -> Vec<Shown<'a>> {
    fn add<'a>(shown: &mut Vec<Shown<'a>>, plugin: &'a PluginId, command: &'a Command, to_owner: bool) {
        if command.hide_in_help || (command.owners_only && !to_owner) {
            return;
        }
        let name = match &command.context_menu_name {
            Some(name) if command.slash_action.is_none() => name,
            _ => &command.qualified_name,
        };
        shown.push(Shown { name, plugin, command });
        for subcommand in &command.subcommands {
            add(shown, plugin, subcommand, to_owner);
        }
    }
    let mut shown = Vec::new();
    for (plugin, command) in commands {
        add(&mut shown, plugin, command, to_owner);
    }
    shown
}

/// Returns a name without a leading slash: `dev reload` for `/dev reload`.
pub(super) fn bare(name: &str) -> String {
    name.trim().trim_start_matches('/').to_owned()
}

/// Returns the names that contain `partial`, first those that begin with it.
pub(super) fn matches<'a>(commands: &[Shown<'a>], partial: &str) -> Vec<&'a str> {
    let partial = partial.to_lowercase();
    let (mut first, mut then) = (Vec::new(), Vec::new());
    for shown in commands {
        match shown.name.to_lowercase().find(&partial) {
            Some(0) => first.push(shown.name),
            Some(_) => then.push(shown.name),
            None => {}
        }
    }
    first.append(&mut then);
    first.truncate(CHOICES);
    first
}

/// Lists commands by plugin. If they do not fit, subcommands share the line of their command, then the descriptions are
/// left out, then the last names.
pub(super) fn overview(commands: &[Shown<'_>]) -> String {
    let fits = |list: &String| list.chars().count() <= text::EMBED_DESCRIPTION;
    let names = list(commands, false);
    let lists = [list(commands, true), grouped(commands), names.clone()];
    if let Some(list) = lists.into_iter().find(fits) {
        return list;
    }
    let more = "\n… and more; begin to type a name after `/help command:`";
    let kept = text::cut(names, text::EMBED_DESCRIPTION - more.chars().count());
    // The last line may have been cut inside a name.
    let whole = kept.rfind('\n').unwrap_or_default();
    format!("{}{more}", &kept[..whole])
}

fn list(commands: &[Shown<'_>], with_descriptions: bool) -> String {
    // A command with subcommands cannot be called itself.
    let callable = commands.iter().filter(|shown| shown.command.subcommands.is_empty());
    by_plugin(callable, |shown| if with_descriptions { shown.described() } else { shown.title() })
}

/// Lists commands, each with its subcommands in the same line.
fn grouped(commands: &[Shown<'_>]) -> String {
    let outer = commands.iter().filter(|shown| !shown.command.qualified_name.contains(' '));
    by_plugin(outer, |shown| {
        let names = shown.command.subcommands.iter().map(|subcommand| format!("`{}`", subcommand.name));
        let names = names.collect::<Vec<_>>().join(", ");
        if names.is_empty() { shown.described() } else { format!("{}: {names}", shown.described()) }
    })
}

fn by_plugin<'a>(
    commands: impl Iterator<Item = &'a Shown<'a>>,
    line: impl Fn(&Shown<'_>) -> String,
) -> String {
    let mut lines = String::new();
    let mut plugin = None;
    for shown in commands {
        if plugin.replace(shown.plugin) != Some(shown.plugin) {
            lines += &format!("{}**{}**\n", if lines.is_empty() { "" } else { "\n" }, shown.plugin.short());
        }
        lines += &line(shown);
        lines.push('\n');
    }
    lines
}

impl Shown<'_> {
    /// Returns the title with the description, if there is one.
    fn described(&self) -> String {
        match self.command.description.as_deref() {
            Some(description) => format!("{} – {description}", self.title()),
            None => self.title(),
        }
    }

    /// Returns the name with how a user calls it.
    pub(super) fn title(&self) -> String {
        match self.command.context_menu_action {
            Some(ContextMenuCommandAction::User(_)) if self.command.slash_action.is_none() => {
                format!("{} (in a user's menu, Apps)", self.name)
            }
            Some(ContextMenuCommandAction::Message(_)) if self.command.slash_action.is_none() => {
                format!("{} (in a message's menu, Apps)", self.name)
            }
            _ => format!("`/{}`", self.name),
        }
    }
}

/// Describes a command: what it does, its usage, and its options or subcommands.
pub(super) fn details(shown: &Shown<'_>) -> String {
    let command = shown.command;
    let mut lines = String::new();
    for paragraph in [&command.description, &command.help_text].into_iter().flatten() {
        lines += &format!("{paragraph}\n\n");
    }
    if command.slash_action.is_some() && command.subcommands.is_empty() {
        lines += &format!("**Usage**\n`{}`\n\n", usage(shown));
    }
    if command.slash_action.is_some() && !command.parameters.is_empty() {
        lines += "**Options**\n";
        for option in &command.parameters {
            let needed = if option.required { "" } else { " (optional)" };
            let description = option.description.as_deref().unwrap_or_default();
            lines += &format!("`{}`{needed} – {description}\n", option.name);
            if !option.choices.is_empty() {
                let choices: Vec<_> = option.choices.iter().map(|choice| choice.name.as_ref()).collect();
                lines += &format!("one of: {}\n", choices.join(", "));
            }
        }
    }
    for subcommand in &command.subcommands {
        let description = subcommand.description.as_deref().unwrap_or_default();
        lines += &format!("`/{}` – {description}\n", subcommand.qualified_name);
    }
    text::cut(lines.trim_end(), text::EMBED_DESCRIPTION)
}

/// Writes the usage of a command with its options, optional ones in brackets.
fn usage(shown: &Shown<'_>) -> String {
    let mut usage = format!("/{}", shown.name);
    for option in &shown.command.parameters {
        usage += &if option.required { format!(" {}:", option.name) } else { format!(" [{}:]", option.name) };
    }
    usage
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Repeats a word
    #[poise::command(slash_command)]
    async fn echo(
        _ctx: Context<'_>,
        #[description = "What to repeat"] word: String,
        #[description = "How often"] times: Option<u8>,
    ) -> Result<(), Error> {
        let _ = (word, times);
        Ok(())
    }

    /// Holds others
    #[poise::command(slash_command, owners_only, subcommands("deeper"))]
    async fn outer(_ctx: Context<'_>) -> Result<(), Error> {
        Ok(())
    }

    /// Does the deeper thing
    #[poise::command(slash_command)]
    async fn deeper(_ctx: Context<'_>) -> Result<(), Error> {
        Ok(())
    }

    /// Looks at a user
    #[poise::command(context_menu_command = "Look at")]
    async fn look(_ctx: Context<'_>, _user: serenity::User) -> Result<(), Error> {
        Ok(())
    }

    fn commands() -> Vec<Command> {
        let mut commands = vec![echo(), outer(), look()];
        poise::set_qualified_names(&mut commands);
        commands
    }

    fn shown<'a>(plugin: &'a PluginId, commands: &'a [Command], to_owner: bool) -> Vec<Shown<'a>> {
        visible(commands.iter().map(|command| (plugin, command)), to_owner)
    }

    #[test]
    fn only_owners_see_what_only_owners_may_run() {
        let (plugin, commands) = (PluginId::new("commands/some"), commands());
        let names =
            |to_owner| shown(&plugin, &commands, to_owner).iter().map(|shown| shown.name).collect::<Vec<_>>();
        assert_eq!(names(false), ["echo", "Look at"]);
        assert_eq!(names(true), ["echo", "outer", "outer deeper", "Look at"]);
    }

    #[test]
    fn the_overview_lists_what_can_be_called_under_its_plugin() {
        let (plugin, commands) = (PluginId::new("commands/some"), commands());
        assert_eq!(
            overview(&shown(&plugin, &commands, true)),
            "**some**\n`/echo` – Repeats a word\n`/outer deeper` – Does the deeper thing\n\
             Look at (in a user's menu, Apps) – Looks at a user\n"
        );
    }

    #[test]
    fn subcommands_share_the_line_of_their_command_where_there_is_no_room() {
        let (plugin, mut commands) = (PluginId::new("commands/some"), commands());
        commands[1].subcommands.extend((0..80).map(|index| Command {
            name: format!("n{index}").into(),
            qualified_name: format!("outer n{index}").into(),
            description: Some("d".repeat(90).into()),
            ..echo()
        }));
        let overview = overview(&shown(&plugin, &commands, true));
        assert!(overview.contains("`/echo` – Repeats a word\n"), "{overview}");
        assert!(overview.contains("`/outer` – Holds others: `deeper`, `n0`, "), "{overview}");
        assert!(!overview.contains("dddd") && overview.contains("Look at (in a user's menu"), "{overview}");
    }

    #[test]
    fn a_command_is_explained_with_usage_and_options() {
        let (plugin, commands) = (PluginId::new("commands/some"), commands());
        let shown = shown(&plugin, &commands, true);
        assert_eq!(
            details(&shown[0]),
            "Repeats a word\n\n**Usage**\n`/echo word: [times:]`\n\n\
             **Options**\n`word` – What to repeat\n`times` (optional) – How often"
        );
        assert_eq!(details(&shown[1]), "Holds others\n\n`/outer deeper` – Does the deeper thing");
    }

    #[test]
    fn completion_offers_the_beginning_first_and_at_most_what_discord_takes() {
        let (plugin, commands) = (PluginId::new("commands/some"), commands());
        assert_eq!(
            matches(&shown(&plugin, &commands, true), "O"),
            ["outer", "outer deeper", "echo", "Look at"]
        );
        assert_eq!(matches(&shown(&plugin, &commands, true), &bare("/outer d")), ["outer deeper"]);
        let many = many(60, 1);
        assert_eq!(matches(&shown(&plugin, &many, true), "").len(), CHOICES);
    }

    #[test]
    fn an_overview_that_is_too_long_loses_descriptions_first_and_then_the_last_names() {
        let plugin = PluginId::new("commands/some");
        for (count, with_descriptions, complete) in
            [(20, true, true), (100, false, true), (200, false, false)]
        {
            let commands = many(count, 90);
            let overview = overview(&shown(&plugin, &commands, false));
            assert!(
                overview.chars().count() <= text::EMBED_DESCRIPTION,
                "{count}: {}",
                overview.chars().count()
            );
            assert_eq!(overview.contains("dddd"), with_descriptions, "{count}");
            assert_eq!(overview.matches("`/n").count() == count, complete, "{count}");
            assert_eq!(overview.contains("and more"), !complete, "{count}");
            assert!(
                overview
                    .lines()
                    .filter(|line| line.contains("`/n"))
                    .all(|line| line.matches('`').count() == 2)
            );
        }
    }

    fn many(count: usize, description: usize) -> Vec<Command> {
        let command = |index| Command {
            qualified_name: format!("n{index:030}").into(),
            description: Some("d".repeat(description).into()),
            ..echo()
        };
        (0..count).map(command).collect()
    }
}
