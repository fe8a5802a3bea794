use super::*;
use crate::host::Host;
use crate::settings::Settings;

type Change = fn(&mut FrameworkOptions);

/// A plugin with changed options.
struct Sample(Change);

impl Plugin for Sample {
    fn options(&self, options: &mut FrameworkOptions) {
        (self.0)(options);
    }

    fn commands(&self) -> Vec<Command> {
        vec![text_command("second")]
    }
}

fn text_command(name: &'static str) -> Command {
    Command {
        name: name.into(),
        prefix_action: Some(|_| Box::pin(async { Ok(()) })),
        subcommands: vec![Command { name: "sub".into(), ..Command::default() }],
        ..Command::default()
    }
}

fn host(owners: &[u64]) -> Host {
    let owners = owners.iter().copied().map(UserId::new).collect();
    Host::new("1.0.0", Settings { owners, ..Settings::default() })
}

fn options(change: Change) -> Options {
    Options::new(&Sample(change), &host(&[1])).ok().unwrap()
}

#[test]
fn what_a_plugin_sets_is_what_poise_gets_and_commands_of_both_places_count() {
    let options = options(|options| {
        options.commands.push(text_command("first"));
        options.manual_cooldowns = true;
        options.skip_checks_for_owners = true;
        options.prefix_options.ignore_bots = false;
    });
    let names: Vec<_> = options.commands().iter().map(|command| &*command.name).collect();
    assert_eq!(names, ["first", "second"]);
    assert_eq!(options.commands()[0].subcommands[0].qualified_name, "first sub");
    assert!(options.first.manual_cooldowns && options.first.skip_checks_for_owners);
    assert!(!options.first.prefix_options.ignore_bots);
    assert_eq!(options.first.owners, HashSet::from([UserId::new(1)]));
}

#[test]
fn a_whole_struct_may_take_the_rest_from_the_host_or_from_poise() {
    let is_ours = |change| fn_addr_eq(options(change).first.on_error, on_error as OnError);
    assert!(is_ours(|_| ()));
    assert!(is_ours(|options| {
        *options = FrameworkOptions { manual_cooldowns: true, ..std::mem::take(options) };
    }));
    let poise = FrameworkOptions::default().on_error;
    assert!(!fn_addr_eq(poise, on_error as OnError), "the test can fail");
}

type OnError = fn(poise::FrameworkError<'_, Data, Error>) -> BoxFuture<'_, ()>;

#[test]
fn what_is_the_hosts_is_refused_by_the_name_of_the_field() {
    let refused = |change: Change| {
        let problems = Options::new(&Sample(change), &host(&[1])).err().unwrap_or_default();
        assert!(problems.len() <= 1, "{problems:?}");
        problems.concat()
    };
    assert_eq!(refused(|_| ()), "");
    assert_eq!(refused(|options| *options = FrameworkOptions::default()), "");
    assert_eq!(refused(|options| options.owners = [UserId::new(1)].into()), "");
    for (change, field, way_out) in [
        (
            (|options| options.owners = [UserId::new(2)].into()) as Change,
            "its options set owners;",
            "OWNER_IDS",
        ),
        (
            |options| options.initialize_owners = false,
            "its options set initialize_owners to false;",
            "OWNER_IDS",
        ),
        (
            |options| options.initialized_team_roles = Some(Vec::new()),
            "its options set initialized_team_roles;",
            "OWNER_IDS",
        ),
        (
            |options| {
                let own = poise::EditTracker::for_timespan(std::time::Duration::from_hours(1));
                options.prefix_options.edit_tracker = Some(own.into());
            },
            "its options set prefix_options.edit_tracker to one of its own;",
            "leave it out",
        ),
    ] {
        let problem = refused(change);
        assert!(problem.starts_with(field) && problem.contains(way_out), "{problem}");
    }
}

#[test]
fn edits_are_tracked_unless_a_plugin_wants_none_and_none_of_its_commands_needs_it() {
    let tracks = |change| options(change).first.prefix_options.edit_tracker.is_some();
    assert!(tracks(|_| ()));
    assert!(!tracks(|options| options.prefix_options.edit_tracker = None));
    assert!(tracks(|options| {
        *options = FrameworkOptions::default();
        let mut command = text_command("first");
        command.subcommands[0].invoke_on_edit = true;
        options.commands.push(command);
    }));
}

#[test]
fn messages_are_asked_for_where_a_plugin_has_prefixes_of_its_own_or_handles_them_all() {
    let intents = |change| options(change).intents();
    let messages =
        GatewayIntents::GUILD_MESSAGES | GatewayIntents::DIRECT_MESSAGES | GatewayIntents::MESSAGE_CONTENT;
    // With the host's prefix, the host requests the intents.
    assert_eq!(intents(|_| ()), GatewayIntents::empty());
    assert_eq!(intents(|options| options.prefix_options.prefix = Some("~".into())), messages);
    assert_eq!(
        intents(|options| options.prefix_options.additional_prefixes.push(poise::Prefix::Literal("~"))),
        messages
    );
    assert_eq!(
        intents(|options| options.prefix_options.dynamic_prefix =
            Some(|_| Box::pin(async { Ok(Some("~".into())) }))),
        messages
    );
    assert_eq!(
        intents(
            |options| options.prefix_options.non_command_message = Some(|_, _| Box::pin(async { Ok(()) }))
        ),
        messages
    );
}

#[test]
fn an_event_handler_is_known_from_none() {
    let handles = |change| options(change).handles_events();
    assert!(!handles(|_| ()));
    assert!(handles(|options| options.event_handler = |_, event| Box::pin(async move {
        assert!(event.snake_case_name().is_empty());
        Ok(())
    })));
}

#[test]
fn owners_of_this_moment_count_and_options_are_made_once_for_them() {
    let host = host(&[1]);
    let sample = Sample(|options| options.manual_cooldowns = true);
    let options = Options::new(&sample, &host).ok().unwrap();
    let with = |owners: &[u64]| {
        let owners = owners.iter().copied().map(UserId::new).collect();
        host.set_settings(Settings { owners, ..Settings::default() });
        options.current(&sample, &host)
    };
    assert!(Arc::ptr_eq(&with(&[1]), &options.first));
    let other = with(&[2, 3]);
    assert_eq!(other.owners, HashSet::from([2, 3].map(UserId::new)));
    assert!(other.manual_cooldowns);
    assert!(Arc::ptr_eq(&other, &with(&[3, 2])));
    assert_eq!(with(&[]).owners.len(), 0);
    assert!(Arc::ptr_eq(&with(&[1]), &options.first));
}

#[test]
fn options_that_panic_leave_no_former_owner_in_power() {
    let host = host(&[1]);
    let options = Options::new(&Sample(|_| ()), &host).ok().unwrap();
    host.set_settings(Settings { owners: [UserId::new(2)].into(), ..Settings::default() });
    let renewed = options.current(&Sample(|_| panic!("expected by the test")), &host);
    assert!(renewed.commands.is_empty());
    assert_eq!(renewed.owners, HashSet::from([UserId::new(2)]));
}
