//! The requests that make Discord's commands equal to the live ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sdk::definition::{CommandKey, CommandKind, Definitions, normalised};
use sdk::serenity::all::{CommandId, GuildId};
use serde_json::Value;

/// Where commands are registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// In one guild, where they appear at once; for development.
    Guild(GuildId),
    /// Everywhere; for production.
    Global {
        /// Supported installation contexts of the application, which are the default of commands.
        installs: BTreeSet<u64>,
    },
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guild(guild) => write!(f, "guild {guild}"),
            Self::Global { .. } => f.write_str("global"),
        }
    }
}

impl Scope {
    /// Returns a definition reduced to the fields that count in a comparison in this scope.
    pub(super) fn comparable(&self, definition: &Value) -> Value {
        let mut definition = normalised(definition);
        let Some(fields) = definition.as_object_mut() else { return definition };
        match self {
            // "Only for globally-scoped commands", according to Discord's documentation of both fields.
            Self::Guild(_) => {
                fields.remove("contexts");
                fields.remove("integration_types");
            }
            Self::Global { installs } => {
                let numbers = |field: Option<&Value>| -> BTreeSet<u64> {
                    field.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_u64).collect()
                };
                // The default is what the application supports.
                if numbers(fields.get("integration_types")) == *installs {
                    fields.remove("integration_types");
                }
                // A command with all contexts is available in the same places as one without contexts.
                let contexts = numbers(fields.get("contexts"));
                if contexts.is_superset(&BTreeSet::from([0, 1]))
                    && (contexts.contains(&2) || !installs.contains(&1))
                {
                    fields.remove("contexts");
                }
            }
        }
        definition
    }
}

/// Returns whether a command has to be registered globally to work as intended: in direct messages, or for users who
/// have installed the application. Guild commands are available only in their guild.
///
/// A command with neither contexts nor installation contexts is meant for servers and does not need that. Source:
/// "Registering a Command" and "Contexts" in Discord's documentation.
pub(super) fn needs_everywhere(definition: &Value) -> bool {
    let has = |field: &str, wanted: &[u64]| {
        let numbers = definition[field].as_array().into_iter().flatten().filter_map(Value::as_u64);
        numbers.into_iter().any(|number| wanted.contains(&number))
    };
    // BOT_DM and PRIVATE_CHANNEL; USER_INSTALL.
    has("contexts", &[1, 2]) || has("integration_types", &[1])
}

/// Returns the maximum number of commands of a kind in one scope. Source: "Registering a Command" in Discord's
/// documentation.
pub(super) const fn most_of(kind: CommandKind) -> usize {
    match kind {
        CommandKind::Slash => 100,
        CommandKind::User | CommandKind::Message => 15,
    }
}

/// A command as returned by Discord.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Registered {
    pub(super) id: CommandId,
    pub(super) comparable: Value,
}

/// The commands of one scope as returned by Discord.
pub(super) type State = BTreeMap<CommandKey, Registered>;

/// Parses Discord's list of commands. The entry point of an activity is not ours and is left out.
pub(super) fn state_of(list: &[Value], scope: &Scope) -> State {
    list.iter()
        .filter_map(|command| {
            let key =
                CommandKey { kind: super::kind_of(command)?, name: command["name"].as_str()?.to_owned() };
            Some((key, Registered { id: id_of(command)?, comparable: scope.comparable(command) }))
        })
        .collect()
}

/// Returns a command's id.
pub(super) fn id_of(command: &Value) -> Option<CommandId> {
    command["id"].as_str()?.parse().ok().filter(|id| *id != 0).map(CommandId::new)
}

/// A command to post.
#[derive(Debug, PartialEq)]
pub(super) struct Upsert {
    pub(super) key: CommandKey,
    pub(super) body: Value,
    pub(super) comparable: Value,
    pub(super) is_new: bool,
}

/// The requests to send.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// Commands that are registered but not wanted.
    pub(super) missing: Vec<(CommandKey, CommandId)>,
    pub(super) upserts: Vec<Upsert>,
    pub(super) unchanged: usize,
}

impl Plan {
    /// Compares the registered commands with the wanted ones.
    pub(super) fn between(state: &State, wanted: &Definitions, scope: &Scope) -> Self {
        let mut plan = Self::default();
        for (key, registered) in state {
            if !wanted.contains_key(key) {
                plan.missing.push((key.clone(), registered.id));
            }
        }
        for (key, body) in wanted {
            let comparable = scope.comparable(body);
            let registered = state.get(key);
            if registered.is_some_and(|registered| registered.comparable == comparable) {
                plan.unchanged += 1;
            } else {
                let is_new = registered.is_none();
                plan.upserts.push(Upsert { key: key.clone(), body: body.clone(), comparable, is_new });
            }
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GUILD: Scope = Scope::Guild(GuildId::new(1));

    fn global(installs: &[u64]) -> Scope {
        Scope::Global { installs: installs.iter().copied().collect() }
    }

    fn wanted(bodies: &[Value]) -> Definitions {
        bodies
            .iter()
            .map(|body| {
                let key = CommandKey {
                    kind: super::super::kind_of(body).unwrap(),
                    name: body["name"].as_str().unwrap().into(),
                };
                (key, body.clone())
            })
            .collect()
    }

    /// Formats a plan as `+ /new ~ /changed - /gone`.
    fn told(registered: &[Value], ours: &[Value], scope: &Scope) -> String {
        let plan = Plan::between(&state_of(registered, scope), &wanted(ours), scope);
        let upserts = plan
            .upserts
            .iter()
            .map(|upsert| format!("{} {}", if upsert.is_new { "+" } else { "~" }, upsert.key));
        upserts
            .chain(plan.missing.iter().map(|(key, id)| format!("- {key} {id}")))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Returns a command as Discord returns it, with all defaults.
    fn returned(more: &Value) -> Value {
        let mut command = json!({
            "id": "10", "application_id": "20", "version": "30", "type": 1, "name": "poll", "nsfw": false,
            "name_localizations": null, "description": "Asks", "description_localizations": null,
            "default_permission": true, "default_member_permissions": null, "dm_permission": true,
            "contexts": null, "integration_types": [0],
        });
        command.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        command
    }

    /// Returns the same command as our builder writes it.
    fn ours(more: &Value) -> Value {
        let mut command = json!({"type": 1, "name": "poll", "description": "Asks", "nsfw": false, "options": [],
            "name_localizations": {}, "description_localizations": {}});
        command.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        command
    }

    #[test]
    fn only_what_differs_is_sent() {
        let registered = [
            returned(&json!({})),
            returned(&json!({"id": "11", "name": "gone"})),
            returned(&json!({"id": "12", "name": "changed", "description": "before"})),
            returned(&json!({"id": "13", "type": 2, "name": "poll", "description": ""})),
        ];
        let wanted = [
            ours(&json!({})),
            ours(&json!({"name": "new"})),
            ours(&json!({"name": "changed", "description": "after"})),
            json!({"type": 2, "name": "poll", "description": ""}),
        ];
        assert_eq!(told(&registered, &wanted, &GUILD), "~ /changed + /new - /gone 11");
    }

    #[test]
    fn what_is_for_direct_messages_or_user_installs_needs_the_global_scope() {
        for (definition, needs) in [
            (json!({}), false),
            (json!({"contexts": null, "integration_types": null}), false),
            (json!({"contexts": [0]}), false),
            (json!({"integration_types": [0]}), false),
            (json!({"contexts": [1]}), true),
            (json!({"contexts": [0, 1]}), true),
            (json!({"contexts": [2]}), true),
            (json!({"contexts": [1, 2], "integration_types": [1]}), true),
            (json!({"contexts": [0], "integration_types": [0, 1]}), true),
            (json!({"integration_types": [1]}), true),
        ] {
            assert_eq!(needs_everywhere(&definition), needs, "{definition}");
        }
    }

    #[test]
    fn the_entry_point_of_an_activity_is_left_alone() {
        let launch = returned(&json!({"type": 4, "name": "launch", "handler": 2}));
        assert_eq!(told(&[launch], &[], &global(&[0])), "");
    }

    #[test]
    fn defaults_that_discord_spells_out_are_no_difference() {
        for (scope, theirs, mine) in [
            (GUILD, json!({"guild_id": "1"}), json!({})),
            // A guild's commands have no contexts, whatever either side has.
            (GUILD, json!({"contexts": null}), json!({"contexts": [0], "integration_types": [0, 1]})),
            (global(&[0]), json!({}), json!({})),
            (global(&[0, 1]), json!({"integration_types": [0, 1]}), json!({})),
            (global(&[0, 1]), json!({"integration_types": [1, 0]}), json!({"integration_types": [0, 1]})),
            (global(&[0]), json!({"contexts": [1, 0]}), json!({"contexts": [0, 1]})),
            (global(&[0]), json!({"contexts": [0, 1, 2]}), json!({})),
            (global(&[0]), json!({"dm_permission": false, "contexts": [0]}), json!({"contexts": [0]})),
            (global(&[0]), json!({"dm_permission": false}), json!({"contexts": [0]})),
            (GUILD, json!({"default_member_permissions": "32"}), json!({"default_member_permissions": "32"})),
            (
                GUILD,
                json!({"name_localizations": {"de": "umfrage"}}),
                json!({"name_localizations": {"de": "umfrage"}}),
            ),
            (
                GUILD,
                json!({"options": [
                    {"type": 4, "name": "n", "description": "N", "min_value": 1, "required": true,
                     "name_localizations": null, "choices": [{"name": "a", "value": 1, "name_localizations": null}]},
                    {"type": 10, "name": "x", "description": "X", "choices": [{"name": "a", "value": 1}]},
                    {"type": 7, "name": "c", "description": "C", "channel_types": [5, 0]},
                    {"type": 11, "name": "f", "description": "F", "file_types": ["image", ".pdf"]},
                    {"type": 11, "name": "g", "description": "G"},
                ]}),
                json!({"options": [
                    {"type": 4, "name": "n", "description": "N", "min_value": 1.0, "required": true,
                     "autocomplete": false, "options": [], "choices": [{"name": "a", "value": 1}]},
                    {"type": 10, "name": "x", "description": "X", "required": false, "choices": [{"name": "a", "value": 1.0}]},
                    {"type": 7, "name": "c", "description": "C", "channel_types": [0, 5]},
                    {"type": 11, "name": "f", "description": "F", "file_types": [".PDF", "image"]},
                    {"type": 11, "name": "g", "description": "G", "file_types": []},
                ]}),
            ),
        ] {
            assert_eq!(told(&[returned(&theirs)], &[ours(&mine)], &scope), "", "{theirs}");
        }
    }

    #[test]
    fn each_real_difference_is_seen() {
        let option = |more: Value| {
            let mut option = json!({"type": 3, "name": "o", "description": "O"});
            option.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"options": [option]})
        };
        for (scope, theirs, mine) in [
            (GUILD, json!({}), json!({"description": "Other"})),
            (GUILD, json!({}), json!({"nsfw": true})),
            (GUILD, json!({}), json!({"default_member_permissions": "0"})),
            (GUILD, json!({"default_member_permissions": "8"}), json!({})),
            (GUILD, json!({}), json!({"name_localizations": {"de": "umfrage"}})),
            (GUILD, option(json!({})), json!({})),
            (GUILD, option(json!({})), option(json!({"required": true}))),
            (GUILD, option(json!({"autocomplete": true})), option(json!({}))),
            (GUILD, option(json!({"max_length": 5})), option(json!({"max_length": 6}))),
            (GUILD, option(json!({"min_value": 0})), option(json!({}))),
            (GUILD, option(json!({"type": 11})), option(json!({"type": 11, "file_types": ["image"]}))),
            (
                GUILD,
                option(json!({"choices": [{"name": "a", "value": "1"}]})),
                option(json!({"choices": [{"name": "a", "value": "2"}]})),
            ),
            (global(&[0]), json!({}), json!({"contexts": [0]})),
            (global(&[0, 1]), json!({"integration_types": [0, 1], "contexts": [0, 1]}), json!({})),
            (global(&[0]), json!({"contexts": [0]}), json!({})),
            (global(&[0, 1]), json!({"integration_types": [0, 1]}), json!({"integration_types": [1]})),
            (global(&[0, 1]), json!({"integration_types": [0, 1]}), json!({"integration_types": [0]})),
        ] {
            assert_eq!(told(&[returned(&theirs)], &[ours(&mine)], &scope), "~ /poll", "{theirs} {mine}");
        }
    }

    #[test]
    fn kinds_have_names_of_their_own() {
        let state = state_of(&[returned(&json!({"type": 3, "name": "Quote"}))], &GUILD);
        let key = CommandKey { kind: CommandKind::Message, name: "Quote".to_owned() };
        assert_eq!(state[&key].id, CommandId::new(10));
    }
}
