//! The members and presences that a session gets without a request.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::Intents;
use super::viewer::{Viewer, is_user};
use crate::snowflake::Snowflake;

/// Number of members from which GUILD_CREATE contains only the connected ones, with or without the presences intent.
const HUGE: usize = 75_000;

/// Reduces the data of GUILD_CREATE to what this viewer gets (Gateway Events, "Guild Create" and "Request Guild
/// Members"): without GUILD_PRESENCES the bot itself and members in voice; above `large_threshold` those who are
/// online, in voice, or have a role or a nickname; else all.
pub(super) fn reduce(guild: &mut Value, viewer: &Viewer) {
    let Some(guild) = guild.as_object_mut() else { return };
    let listed = guild.get("members").and_then(Value::as_array).map_or(0, Vec::len);
    let count = guild.get("member_count").and_then(Value::as_u64);
    let count = count.and_then(|count| usize::try_from(count).ok()).unwrap_or(listed);
    let large = count > viewer.large_threshold;
    guild.insert("large".into(), large.into());
    let few = !viewer.intents.contains(Intents::GUILD_PRESENCES) || count > HUGE;
    if few || large {
        let in_voice = ids(guild.get("voice_states"), |state| &state["user_id"]);
        let online = ids(guild.get("presences"), |presence| &presence["user"]["id"]);
        let kept = |member: &Value| {
            let known =
                |set: &HashSet<String>| member["user"]["id"].as_str().is_some_and(|id| set.contains(id));
            let has_role = || member["roles"].as_array().is_some_and(|roles| !roles.is_empty());
            is_user(&member["user"], viewer.bot)
                || known(&in_voice)
                || (!few && (known(&online) || has_role() || member["nick"].is_string()))
        };
        if let Some(members) = guild.get_mut("members").and_then(Value::as_array_mut) {
            members.retain(kept);
        }
    }
    if few {
        guild.insert("presences".into(), json!([]));
    }
}

fn ids(list: Option<&Value>, id: impl Fn(&Value) -> &Value) -> HashSet<String> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| id(item).as_str().map(str::to_owned)).collect()
}

/// Returns the data of THREAD_MEMBERS_UPDATE for a session without GUILD_MEMBERS: only whether the bot itself joined or
/// left.
pub(super) fn own_thread_membership(update: &Value, bot: Snowflake) -> Option<Value> {
    let own_id = |id: &Value| id.as_str().is_some_and(|text| text.parse() == Ok(bot));
    let own = |list: &Value, is_own: &dyn Fn(&Value) -> bool| -> Vec<Value> {
        list.as_array().into_iter().flatten().filter(|item| is_own(item)).cloned().collect()
    };
    let added = own(&update["added_members"], &|member| own_id(&member["user_id"]));
    let removed = own(&update["removed_member_ids"], &own_id);
    if added.is_empty() && removed.is_empty() {
        return None;
    }
    let mut reduced = update.clone();
    for (field, list) in [("added_members", added), ("removed_member_ids", removed)] {
        if reduced.get(field).is_some() {
            reduced[field] = list.into();
        }
    }
    Some(reduced)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{own_thread_membership, reduce};
    use crate::gateway::Intents;
    use crate::gateway::viewer::Viewer;
    use crate::snowflake::Snowflake;

    fn members_seen(intents: Intents, large_threshold: usize) -> (Vec<String>, usize, bool) {
        let member =
            |id: &str, nick: Value, roles: Value| json!({"user": {"id": id}, "nick": nick, "roles": roles});
        let mut guild = json!({
            "member_count": 6,
            "members": [
                member("1", Value::Null, json!([])), member("2", Value::Null, json!([])),
                member("3", Value::Null, json!([])), member("4", json!("nick"), json!([])),
                member("5", Value::Null, json!(["9"])), member("6", Value::Null, json!([])),
            ],
            "voice_states": [{"user_id": "2"}],
            "presences": [{"user": {"id": "3"}, "status": "online"}],
        });
        reduce(&mut guild, &Viewer { bot: Snowflake(1), shard: [0, 1], intents, large_threshold });
        let members = guild["members"].as_array().unwrap();
        let seen = members.iter().map(|member| member["user"]["id"].as_str().unwrap().to_owned()).collect();
        (seen, guild["presences"].as_array().unwrap().len(), guild["large"].as_bool().unwrap())
    }

    #[test]
    fn the_first_members_depend_on_intents_and_size() {
        let ids = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect::<Vec<_>>();
        let all = Intents::GUILDS | Intents::GUILD_PRESENCES;
        assert_eq!(members_seen(Intents::GUILDS, 50), (ids(&["1", "2"]), 0, false));
        assert_eq!(members_seen(all, 50), (ids(&["1", "2", "3", "4", "5", "6"]), 1, false));
        assert_eq!(members_seen(all, 5), (ids(&["1", "2", "3", "4", "5"]), 1, true));
    }

    #[test]
    fn a_thread_update_about_others_needs_the_members_intent() {
        let update = json!({"added_members": [{"user_id": "1"}, {"user_id": "2"}], "member_count": 2});
        let own = own_thread_membership(&update, Snowflake(1)).unwrap();
        assert_eq!(own["added_members"], json!([{"user_id": "1"}]));
        assert!(own.get("removed_member_ids").is_none());
        assert!(own_thread_membership(&update, Snowflake(3)).is_none());
    }
}
