//! As poise's `feature_showcase`: a bot whose one `FrameworkOptions` is moved into a plugin as it is.

use sdk::poise::{FrameworkError, PrefixFrameworkOptions};
use sdk::prelude::*;

mod arguments;
mod checks;
mod installs;
mod replies;

pub(crate) struct Showcase;

impl Plugin for Showcase {
    fn options(&self, options: &mut FrameworkOptions) {
        *options = poise::FrameworkOptions {
            commands: commands(),
            prefix_options: PrefixFrameworkOptions {
                prefix: Some("~".into()),
                non_command_message: Some(|framework, message| {
                    Box::pin(async move {
                        if message.content == "fail" {
                            return Err("this message was meant to fail".into());
                        }
                        let words = format!("not a command: {}", message.content);
                        framework.user_data.store().put("heard", &words)
                    })
                }),
                ..Default::default()
            },
            on_error: |error| {
                Box::pin(async move {
                    match error {
                        // For the log alone: nobody is told.
                        FrameworkError::ArgumentParse { error, ctx, .. } => {
                            let is_role = error.is::<serenity::RoleParseError>();
                            ctx.data().store().put("wrong", &is_role).unwrap();
                        }
                        FrameworkError::NonCommandMessage { error, framework, .. } => {
                            framework.user_data.store().put("heard", &error.to_string()).unwrap();
                        }
                        other => poise::builtins::on_error(other).await.unwrap(),
                    }
                })
            },
            ..Default::default()
        };
    }
}

fn commands() -> Vec<Command> {
    vec![
        arguments::compare_files(),
        arguments::sizes(),
        arguments::hail(),
        arguments::forecast(),
        arguments::between(),
        arguments::pick(),
        arguments::continent(),
        arguments::count(),
        arguments::script(),
        arguments::sum(),
        arguments::voice(),
        arguments::backwards(),
        arguments::parrot(),
        arguments::flagged(),
        arguments::address(),
        arguments::punish(),
        arguments::short_text(),
        arguments::r#move(),
        arguments::inspect(),
        arguments::repeat(),
        arguments::colour(),
        checks::switch_off(),
        checks::moderators(),
        checks::remove_message(),
        checks::crabs(),
        checks::seldom(),
        checks::server_name(),
        checks::letter(),
        checks::grown_up(),
        checks::administrators(),
        checks::outer(),
        replies::servers(),
        replies::boops(),
        replies::salute(),
        replies::form(),
        replies::button_form(),
        replies::pages(),
        replies::divide(),
        replies::answer_me(),
        replies::family(),
        replies::strict_family(),
        replies::twice(),
        replies::add(),
        replies::heard(),
        installs::anywhere(),
        installs::anywhere_menu(),
        installs::own(),
        installs::private(),
        installs::own_in_servers(),
    ]
}
