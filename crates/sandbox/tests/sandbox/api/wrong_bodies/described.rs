//! Every property of every body in Discord's OpenAPI description, with a value that it does not take.

use reqwest::Method;
use serde_json::{Value, json};

use super::errors;
use super::schema::{Schemas, Wrong};
use super::world::World;
use crate::api::bot::{Bot, DISCORD};

/// Operations that are left out, with the reason.
const LEFT_OUT: &[(&str, &str)] = &[
    ("/users/@me/applications/{application_id}/role-connection", "takes the token of a user"),
    ("PUT /lobbies", "takes the token of a user"),
    ("/lobbies/{lobby_id}/channel-linking", "takes the token of a user"),
    ("POST /lobbies/{lobby_id}/messages", "takes the token of a user"),
    ("/slack", "the body is Slack's, of which any part may be absent or odd"),
    ("/github", "the body is GitHub's, of which any part may be absent or odd"),
    ("/exceptions/{exception_id}", "needs an event that recurs; `scheduled_events` has its rules"),
    ("/requests/{request_id}", "needs a request to join; `people` has its rules"),
    ("POST /interactions/", "the type decides what the rest may be; `interactions.txt` has its rules"),
    ("/partner-sdk/provisional-accounts/unmerge", "the secret of the application is checked first"),
];

/// Values that Discord takes, or refuses with another error, although its description says otherwise: operation, property
/// (or the beginning of its path), what is wrong, and the reason. Empty means any.
const TAKEN: &[(&str, &str, &str, &str)] = &[
    (
        "/applications/",
        "description",
        "a text",
        "the documentation has a text here (Application, \"Edit Current Application\")",
    ),
    ("/applications/", "description", "a number", "as a text"),
    (
        "PATCH /users/@me",
        "username",
        "absent",
        "\"All parameters to this endpoint are optional\" (User, \"Modify Current User\")",
    ),
    ("/messages/bulk-delete", "messages", "", "50016, for fewer than two messages and more than a hundred"),
    ("/messages/{message_id}", "components", "", "as those of a new message"),
    ("/messages/@original", "components", "", "as those of a new message"),
    ("POST /webhooks/{webhook_id}/{webhook_token}", "components", "", "as those of a new message"),
    ("POST /channels/{channel_id}/threads", "message.components", "", "as those of a new message"),
    (
        "POST /channels/{channel_id}/invites",
        "max_age",
        "too small",
        "0 is for never; a group's invites alone have 1",
    ),
    ("PATCH /channels/{channel_id}", "icon", "", "of groups alone"),
    ("PATCH /channels/{channel_id}", "applied_tags", "", "of threads alone"),
    ("PATCH /channels/{channel_id}", "archived", "", "of threads alone"),
    ("PATCH /channels/{channel_id}", "auto_archive_duration", "", "of threads alone"),
    ("PATCH /channels/{channel_id}", "invitable", "", "of threads alone"),
    ("PATCH /channels/{channel_id}", "locked", "", "of threads alone"),
    (
        "/auto-moderation/rules",
        "actions.0.metadata",
        "",
        "what an action needs depends on it, and the action on the trigger",
    ),
    ("/auto-moderation/rules", "trigger_metadata.", "", "depends on the trigger"),
    ("/scheduled-events", "recurrence_rule.by_year_day", "", "\"cannot be set\" (\"System limitations\")"),
];

/// Returns the address of an operation's object in the world, where the template names one.
fn address(template: &str) -> String {
    let mut path = template.to_owned();
    let channel = match () {
        () if template.ends_with("{channel_id}/threads") => "<forum>",
        () if template.contains("voice-status") || template.contains("send-soundboard-sound") => "<voice>",
        () if template.contains("/followers") => "<news>",
        () if template.starts_with("/stage-instances/") => "<stage>",
        () => "<text>",
    };
    let message = if template.starts_with("/webhooks") { "<hook_message>" } else { "<message>" };
    let of_guild = template.contains("{guild_id}");
    for (name, value) in [
        ("{webhook_id}/{webhook_token}/messages/@original", "<answer>/messages/@original"),
        ("{application_id}", "<bot>"),
        ("{guild_id}", "<guild>"),
        ("{channel_id}", channel),
        ("{message_id}", message),
        ("{user_id}", "<bob>"),
        ("{role_id}", "<role>"),
        ("{overwrite_id}", "<role>"),
        ("{webhook_id}", "<hook>"),
        ("{webhook_token}", "<hook_token>"),
        ("{rule_id}", "<rule>"),
        ("{guild_scheduled_event_id}", "<event>"),
        ("{code}", "<template_code>"),
        ("{sticker_id}", "<sticker>"),
        ("{sound_id}", "<sound>"),
        ("{lobby_id}", "<lobby>"),
        ("{command_id}", if of_guild { "<command>" } else { "<global_command>" }),
        ("{emoji_id}", if of_guild { "<emoji>" } else { "<own_emoji>" }),
    ] {
        path = path.replace(name, value);
    }
    path
}

/// Returns a body with what Discord requires besides what its description does: the description of a slash command, and the
/// flag of new components.
fn completed(template: &str, wrong: &Wrong) -> Value {
    let mut body = wrong.value.clone();
    if template.ends_with("/commands") && !wrong.path.contains(&"description".to_owned()) {
        let command = if body.is_array() { body.get_mut(0) } else { Some(&mut body) };
        if let Some(Value::Object(command)) = command {
            command.entry("description").or_insert_with(|| json!("d"));
        }
    }
    // Most kinds of components are for messages of components alone.
    if wrong.path.first().is_some_and(|key| key == "components") {
        body["flags"] = json!(1 << 15);
    }
    body
}

fn is_taken(operation: &str, wrong: &Wrong) -> bool {
    let path = wrong.path.join(".");
    TAKEN.iter().any(|(part, property, what, _)| {
        operation.contains(part) && path.starts_with(property) && (what.is_empty() || *what == wrong.what)
    })
}

/// Sends a wrong body and returns what is wrong about the answer.
async fn judge(bot: &Bot, world: &World, method: &str, template: &str, wrong: &Wrong) -> Option<String> {
    let path = world.fill(&address(template));
    let body = completed(template, wrong);
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let (status, answer) = bot.call(method, &path, &body).await;
    let mut found = Vec::new();
    errors(&answer["errors"], "", &mut found);
    let wanted = wrong.path.join(".");
    let at = |error: &String| {
        let path = error.split(' ').next().unwrap_or_default().trim_start_matches('.');
        // The type of one of several kinds is an error of the whole.
        let kind = wanted.strip_suffix(".type").is_some_and(|whole| whole == path);
        kind || path == wanted || path.starts_with(&format!("{wanted}.")) || wanted.is_empty()
    };
    if status == 400 && found.iter().any(at) {
        return None;
    }
    let shown: String = answer.to_string().chars().take(200).collect();
    Some(format!("{wanted}: {}: {status} {shown}", wrong.what))
}

#[tokio::test]
async fn what_the_description_refuses_is_refused_at_its_property() {
    let Some(api) = &*DISCORD else { return };
    let (bot, world) = World::start().await;
    let document = api.document();
    let schemas = Schemas(document);
    let (mut asked, mut wrongs) = (0, Vec::new());
    for (template, operations) in document["paths"].as_object().into_iter().flatten() {
        for method in ["post", "put", "patch"] {
            let schema = &operations[method]["requestBody"]["content"]["application/json"]["schema"];
            let operation = format!("{} {template}", method.to_uppercase());
            if schema.is_null() || LEFT_OUT.iter().any(|(part, _)| operation.contains(part)) {
                continue;
            }
            for wrong in schemas.wrong(schema) {
                // A request without a body is one with an empty object.
                if wrong.value.is_null() || is_taken(&operation, &wrong) {
                    continue;
                }
                asked += 1;
                let method = method.to_uppercase();
                if let Some(fault) = judge(&bot, &world, &method, template, &wrong).await {
                    wrongs.push(format!("{operation} {fault}"));
                }
            }
        }
    }
    assert!(asked > 3500, "{asked}");
    assert!(wrongs.is_empty(), "{} of {asked}:\n{}", wrongs.len(), wrongs.join("\n"));
}
