//! As poise's `fluent_localization`: names, descriptions, choices and answers in the user's language.
//!
//! The texts stand in a table here. A plugin that takes `fluent` works alike; it adds features to crates that serenity
//! shares, which builds serenity anew.

use std::borrow::Cow;

use sdk::poise::ChoiceParameter as _;
use sdk::prelude::*;

/// Locale, key, text. English is also what everybody else reads.
const TEXTS: &[(&str, &str, &str)] = &[
    ("en-US", "greet", "greet"),
    ("en-US", "greet.description", "Greets somebody"),
    ("en-US", "greet.user", "user"),
    ("en-US", "greet.user.description", "Whom to greet"),
    ("en-US", "greet.words", "words"),
    ("en-US", "greet.words.description", "How to greet"),
    ("en-US", "Hello", "Good to see you"),
    ("en-US", "Tea", "Would you like some tea?"),
    ("en-US", "place", "place"),
    ("en-US", "place.description", "Describes this server"),
    ("en-US", "place.text", "{name} has {roles} roles and {emojis} emojis"),
    ("en-US", "place.nowhere", "This is no server"),
    ("de", "greet", "grüße"),
    ("de", "greet.description", "Grüßt jemanden"),
    ("de", "greet.user", "nutzer"),
    ("de", "greet.user.description", "Wer gegrüßt wird"),
    ("de", "greet.words", "worte"),
    ("de", "greet.words.description", "Womit"),
    ("de", "Hello", "Schön, dich zu sehen"),
    ("de", "Tea", "Möchtest du Tee?"),
    ("de", "place", "ort"),
    ("de", "place.description", "Beschreibt diesen Server"),
    ("de", "place.text", "{name} hat {roles} Rollen und {emojis} Emojis"),
];

const LOCALES: &[&str] = &["de"];

fn look_up(locale: &str, key: &str) -> Option<&'static str> {
    TEXTS.iter().find(|(of, name, _)| *of == locale && *name == key).map(|(.., text)| *text)
}

/// Returns a text in the language of who runs a command.
fn tr(ctx: Context<'_>, key: &str) -> &'static str {
    let own = ctx.locale().and_then(|locale| look_up(locale, key));
    own.or_else(|| look_up("en-US", key)).unwrap_or("(no text)")
}

/// Gives commands, options and choices their names in all languages.
fn translate(commands: &mut [Command]) {
    let english = |key: &str| look_up("en-US", key).map(Cow::Borrowed);
    for command in commands {
        let Some(name) = english(&command.name) else { continue };
        let key = command.name.to_string();
        for &locale in LOCALES {
            let Some(local) = look_up(locale, &key) else { continue };
            command.name_localizations.to_mut().push((locale.into(), local.into()));
            let Some(local) = look_up(locale, &format!("{key}.description")) else { continue };
            command.description_localizations.to_mut().push((locale.into(), local.into()));
        }
        command.name = name;
        command.description = english(&format!("{key}.description"));
        for parameter in &mut command.parameters {
            let key = format!("{key}.{}", parameter.name);
            for &locale in LOCALES {
                let Some(local) = look_up(locale, &key) else { continue };
                parameter.name_localizations.to_mut().push((locale.into(), local.into()));
                let Some(local) = look_up(locale, &format!("{key}.description")) else { continue };
                parameter.description_localizations.to_mut().push((locale.into(), local.into()));
            }
            parameter.description = english(&format!("{key}.description"));
            for choice in parameter.choices.to_mut() {
                let key = choice.name.to_string();
                for &locale in LOCALES {
                    let Some(local) = look_up(locale, &key) else { continue };
                    choice.localizations.to_mut().push((locale.into(), local.into()));
                }
                choice.name = english(&key).unwrap_or(Cow::Owned(key));
            }
        }
    }
}

pub(crate) struct Localisation;

impl Plugin for Localisation {
    fn commands(&self) -> Vec<Command> {
        let mut commands = vec![greet(), place(), register()];
        translate(&mut commands);
        commands
    }
}

#[derive(Clone, Copy, poise::ChoiceParameter)]
enum Words {
    Hello,
    Tea,
}

#[poise::command(slash_command)]
async fn greet(ctx: Context<'_>, user: serenity::User, words: Words) -> Result<(), Error> {
    ctx.say(format!("<@{}> {}", user.id, tr(ctx, words.name()))).await?;
    Ok(())
}

#[poise::command(slash_command)]
async fn place(ctx: Context<'_>) -> Result<(), Error> {
    let guild = ctx.partial_guild().await.ok_or_else(|| tr(ctx, "place.nowhere"))?;
    let text = tr(ctx, "place.text")
        .replace("{name}", &guild.name)
        .replace("{roles}", &guild.roles.len().to_string())
        .replace("{emojis}", &guild.emojis.len().to_string());
    ctx.say(text).await?;
    Ok(())
}

/// Offers to register commands, which the host does by itself
#[poise::command(prefix_command)]
async fn register(ctx: Context<'_>) -> Result<(), Error> {
    poise::builtins::register_application_commands_buttons(ctx).await?;
    Ok(())
}
