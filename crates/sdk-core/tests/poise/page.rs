//! The page for people who bring a poise bot along has a word on each field of poise's options.

use std::fs;
use std::path::Path;

use sdk::FrameworkOptions;
use sdk::poise::PrefixFrameworkOptions;
use sdk::{Data, Error};

/// Returns the names of all fields; one that poise adds does not compile until it is here.
macro_rules! fields {
    ($options:ident: $type:ty { $($field:ident),* $(,)? }) => {{
        #[allow(deprecated)] // poise's `listener`.
        let _ = |options: $type| {
            let $options { $($field: _,)* __non_exhaustive: () } = options;
        };
        [$(stringify!($field)),*]
    }};
}

#[test]
fn every_field_of_poises_options_is_on_the_page() {
    use sdk::poise::FrameworkOptions as Options;
    let fields = fields!(Options: FrameworkOptions {
        commands,
        on_error,
        pre_command,
        post_command,
        command_check,
        skip_checks_for_owners,
        allowed_mentions,
        reply_callback,
        manual_cooldowns,
        require_cache_for_guild_check,
        event_handler,
        listener,
        prefix_options,
        owners,
        initialize_owners,
        initialized_team_roles,
    });
    let of_prefixes = fields!(PrefixFrameworkOptions: PrefixFrameworkOptions<Data, Error> {
        prefix,
        additional_prefixes,
        dynamic_prefix,
        stripped_dynamic_prefix,
        mention_as_prefix,
        edit_tracker,
        execute_untracked_edits,
        ignore_edits_if_not_yet_responded,
        check_edits_against_cache,
        tracking_initiation_window,
        execute_self_messages,
        ignore_bots,
        ignore_thread_creation,
        case_insensitive_commands,
        non_command_message,
    });
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/poise.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, table) = page.split_once("## FrameworkOptions, field by field").unwrap();
    for field in fields.into_iter().chain(of_prefixes) {
        let is_there = table.lines().any(|line| {
            line.strip_prefix("| ").is_some_and(|row| row.split(" | ").next().unwrap().contains(field))
        });
        assert!(is_there, "docs/poise.md has no word on {field}");
    }
}
