//! For any body, a validator returns a value, or an error that names what is wrong.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use discord_rules::error::{ApiError, ApiResult};
use discord_rules::validate::command::{self, Scope};
use discord_rules::validate::interaction::{self, Asked};
use discord_rules::validate::message::{self, EditTarget, MessageOrigin};
use discord_rules::validate::{
    application, auto_moderation, channel, community, expression, guild, incidents, invite, lobby,
    new_member, partner, prune, role, scheduled_event, service, sound, stage, template, user, webhook,
    widget,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

/// Keys that validators read, by what they belong to: the fields of one object have those of one line, so that random bodies
/// reach further than a validator's first line.
static KEYS: LazyLock<Vec<Vec<&str>>> = LazyLock::new(|| {
    let line = |line: &'static str| Some(line.split_once(": ")?.1.split(' ').collect());
    include_str!("keys.txt").lines().filter_map(line).collect()
});

fn body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..25).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,8}".prop_map(Value::from),
        proptest::sample::select(
            &["a", "1", "32768", "https://a/b", "attachment://a.png", "users", "👍", "9999-12-31T23:59:59Z"]
                [..]
        )
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inside| {
        prop_oneof![
            proptest::collection::vec(inside.clone(), 0..5).prop_map(Value::from),
            proptest::sample::select(KEYS.as_slice()).prop_flat_map(move |keys| {
                let fields =
                    proptest::collection::vec((proptest::sample::select(keys), inside.clone()), 0..8);
                fields.prop_map(|fields| {
                    Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
                })
            }),
        ]
    })
}

/// Returns whether an error of a body names at least one path in it; another kind of error has no tree.
fn says_what_is_wrong(error: &ApiError) -> bool {
    fn complaints(node: &Value) -> usize {
        let inside = node.as_object().into_iter().flatten();
        inside.map(|(key, value)| if key == "_errors" { 1 } else { complaints(value) }).sum()
    }
    let json = error.to_json();
    error.status().is_client_error()
        && !error.message().is_empty()
        && (error.code() == 50035) == (complaints(&json["errors"]) > 0)
}

fn fine<T>(result: ApiResult<T>) -> Result<Option<T>, TestCaseError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            prop_assert!(says_what_is_wrong(&error), "{}", error.to_json());
            Ok(None)
        }
    }
}

proptest! {
    #[test]
    fn no_body_makes_a_validator_panic_or_fall_silent(body in body()) {
        for origin in [MessageOrigin::Channel, MessageOrigin::Webhook, MessageOrigin::Interaction] {
            fine(message::create(&body, &[], origin))?;
        }
        fine(message::edit(&body, &[], &EditTarget::default()))?;
        fine(message::create_within(&body, "message", &[], MessageOrigin::Channel))?;
        fine(message::bulk_delete(&body, 0))?;
        fine(user::modify(&body))?;
        fine(user::open(&body))?;
        fine(user::add_recipient(&body))?;
        fine(webhook::create(&body))?;
        fine(webhook::modify(&body, true))?;
        fine(application::modify(&body, &["https"]))?;
        fine(application::role_metadata(&body))?;
        fine(application::role_connection(&body, &[]))?;
        fine(application::command_permissions(&body))?;
        fine(expression::emoji_create(&body, true))?;
        fine(expression::emoji_edit(&body, true))?;
        fine(expression::sticker_create(&body, true))?;
        fine(expression::sticker_edit(&body))?;
        fine(sound::create(&body))?;
        fine(sound::modify(&body))?;
        fine(sound::send(&body))?;
        fine(service::slack(&body))?;
        for event in ["push", "issues", "check_run", "ping"] {
            fine(service::github(event, &body))?;
        }
        for kind in 1..=5 {
            fine(interaction::callback(&body, &[], Asked { kind, focused: None, message: None }))?;
        }
        fine(command::overwrite(&body, Scope::Guild))?;
        fine(channel::create(&body))?;
        fine(channel::modify(&body, 0))?;
        for kind in [2, 4, 13, 15] {
            fine(channel::modify(&body, kind))?;
        }
        fine(channel::thread_create(&body))?;
        fine(channel::thread_modify(&body))?;
        fine(channel::positions(&body))?;
        fine(channel::overwrite(&body, 1.into()))?;
        fine(channel::voice_status(&body))?;
        fine(channel::group(&body))?;
        fine(role::read(&body))?;
        fine(role::positions(&body))?;
        fine(guild::modify(&body))?;
        fine(guild::member(&body, OffsetDateTime::UNIX_EPOCH))?;
        fine(guild::own_member(&body))?;
        fine(guild::voice_state(&body))?;
        fine(guild::ban(&body))?;
        fine(guild::bulk_ban(&body))?;
        fine(community::welcome_screen(&body))?;
        fine(community::onboarding(&body))?;
        fine(community::review(&body))?;
        fine(incidents::actions(&body, OffsetDateTime::UNIX_EPOCH))?;
        fine(invite::create(&body))?;
        fine(new_member::read(&body))?;
        fine(prune::begin(&body))?;
        fine(template::create(&body))?;
        fine(template::modify(&body))?;
        fine(widget::modify(&body))?;
        fine(auto_moderation::create(&body))?;
        for kind in [1, 3, 4, 5, 6] {
            fine(auto_moderation::modify(&body, kind))?;
        }
        fine(scheduled_event::create(&body, OffsetDateTime::UNIX_EPOCH))?;
        fine(scheduled_event::modify(&body, OffsetDateTime::UNIX_EPOCH))?;
        fine(scheduled_event::exception(&body))?;
        fine(scheduled_event::modify_exception(&body))?;
        fine(stage::create(&body))?;
        fine(stage::modify(&body))?;
        fine(lobby::lobby(&body))?;
        fine(lobby::join(&body))?;
        fine(lobby::member(&body, 1.into()))?;
        fine(lobby::bulk(&body))?;
        fine(lobby::link(&body))?;
        fine(lobby::message(&body))?;
        fine(lobby::moderation(&body))?;
        fine(partner::external(&body))?;
        fine(partner::player(&body))?;
        fine(partner::unmerge(&body))?;
    }

    #[test]
    fn no_token_makes_its_reader_panic(header in body(), claims in body(), junk in "\\PC{0,20}") {
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let token = format!("{}.{}.{junk}", encoded(&header), encoded(&claims));
        for token in [&token, &junk] {
            fine(partner::claims("OIDC", token, OffsetDateTime::UNIX_EPOCH))?;
        }
    }

    #[test]
    fn a_command_that_is_taken_is_taken_again_as_it_is_shown(name in "[a-zA-Z ]{1,8}", fields in body()) {
        let mut command = fields.as_object().cloned().unwrap_or_else(Map::new);
        command.insert("name".into(), json!(name));
        command.entry("description").or_insert_with(|| json!("d"));
        if let Some(definition) = fine(command::create(&Value::Object(command), Scope::Global))? {
            let identity = command::Identity {
                id: 1.into(), application_id: 2.into(), guild_id: None, version: 3.into(),
            };
            let shown = definition.to_json(&identity, command::ShownIn::Every);
            let again = command::create(&shown, Scope::Global);
            prop_assert!(again.is_ok(), "{shown}: {}", again.unwrap_err().to_json());
            let again = again.unwrap();
            prop_assert_eq!(&again.options, &definition.options);
            prop_assert_eq!(command::edit(&definition, &json!({}), Scope::Global).unwrap(), definition);
        }
    }
}
