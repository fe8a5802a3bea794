//! Plugins of a chosen size, written into a playground for measurements.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use crate::Playground;
use crate::playground::save;

/// A generated command plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Folder under `commands/`, and prefix of its commands' names.
    pub name: &'static str,
    /// Number of commands, one file each.
    pub commands: usize,
}

impl Sample {
    /// A plugin of typical size.
    pub const SMALL: Self = Self { name: "small", commands: 3 };
    /// A very large plugin.
    pub const LARGE: Self = Self { name: "large", commands: 24 };

    /// Returns the command whose source is edited.
    pub fn command(self) -> String {
        format!("{}1", self.name)
    }

    /// Returns the file that is edited, relative to the folder of plugins.
    pub fn file(self) -> String {
        format!("{}/src/{}1.rs", self.name, self.name)
    }

    /// Returns the source of the file that is edited, which answers with `answer`.
    pub fn source(self, answer: &str) -> String {
        command_source(self.name, 1, answer)
    }

    /// Writes the plugin, whose first command answers with `answer`, into a folder of plugins in a workspace.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(self, root: &Path, folder: &str, answer: &str) -> io::Result<()> {
        let Self { name, commands } = self;
        let own = root.join(folder).join(name);
        let source = own.join("src");
        let mut lib = format!("//! {commands} commands to be measured.\n\nuse sdk::prelude::*;\n\n");
        for number in 1..=commands {
            let answer = if number == 1 { answer } else { "other" };
            save(&source.join(format!("{name}{number}.rs")), &command_source(name, number, answer))?;
            let _ = writeln!(lib, "mod {name}{number};");
        }
        lib.push_str("\nstruct Sample;\n\nimpl Plugin for Sample {\n    fn commands(&self) -> Vec<Command> {\n        vec![");
        for number in 1..=commands {
            let _ = write!(lib, "{name}{number}::{name}{number}(), ");
        }
        lib.push_str("]\n    }\n}\n\nsdk::export!(Sample);\n");
        save(&source.join("lib.rs"), &lib)?;
        // The manifest comes last, because it makes the folder a plugin.
        let manifest = format!(
            "[package]\nname = \"commands-{name}\"\ndescription = \"To be measured.\"\nversion.workspace = true\n\
             edition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\n\
             publish.workspace = true\n\n[lib]\n\n[dependencies]\npoise.workspace = true\nsdk.workspace = true\n"
        );
        save(&own.join("Cargo.toml"), &manifest)
    }

    /// Adds the plugin to the static list, as `./dev-env.sh new` does.
    ///
    /// # Errors
    /// If a file cannot be written or is not as expected.
    pub fn list(self, playground: &Playground) -> io::Result<()> {
        let name = self.name;
        playground.edit(
            "commands/Cargo.toml",
            "[dependencies]\n",
            &format!("[dependencies]\ncommands-{name} = {{ path = \"{name}\" }}\n"),
        )?;
        playground.edit(
            "commands/lib.rs",
            "&[&PluginEntry] = &[\n",
            &format!("&[&PluginEntry] = &[\n    &commands_{name}::PLUGIN,\n"),
        )
    }
}

/// Creates the source of a command similar to those of `commands/general`: options, an embed or a text, a reply.
fn command_source(plugin: &str, number: usize, answer: &str) -> String {
    let name = format!("{plugin}{number}");
    let (option, reply) = match number % 3 {
        0 => (
            "user: Option<serenity::User>",
            "let embed = serenity::CreateEmbed::new()\n        .title(user.map_or_else(|| \"nobody\".to_owned(), |user| user.name))\n        \
             .description(ANSWER);\n    ctx.send(poise::CreateReply::default().embed(embed)).await?;",
        ),
        1 => ("text: Option<String>", "ctx.say(format!(\"{ANSWER}{}\", text.unwrap_or_default())).await?;"),
        _ => ("count: Option<i64>", "ctx.say(format!(\"{ANSWER} {}\", count.unwrap_or(1))).await?;"),
    };
    format!(
        "//! `/{name}`: answers.\n\nuse sdk::prelude::*;\n\nconst ANSWER: &str = \"{answer}\";\n\n/// Answers\n\
         #[poise::command(slash_command)]\npub(crate) async fn {name}(\n    ctx: Context<'_>,\n    \
         #[description = \"Anything\"] {option},\n) -> Result<(), Error> {{\n    {reply}\n    Ok(())\n}}\n"
    )
}
