use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::State;

fn state() -> State {
    let mut state = State::new(1000);
    assert!(state.reset(r#"{"v":10,"user":{"id":"1"},"guilds":[{"id":"5","unavailable":true}]}"#));
    state
}

fn guild() -> Value {
    json!({"id": "5", "name": "g", "unknown_field": {"kept": [1, 2]}, "member_count": 3, "roles": [], "emojis": [],
           "channels": [{"id": "10", "type": 0, "future": true}], "threads": [], "members": [], "voice_states": []})
}

fn now(state: &State) -> Value {
    serde_json::from_str(&state.guild(5).unwrap()).unwrap()
}

fn apply(state: &mut State, name: &str, data: &Value) {
    state.apply(name, &data.to_string());
}

#[test]
fn a_guild_is_returned_as_it_came_with_fields_that_nobody_knows() {
    let mut state = state();
    apply(&mut state, "GUILD_CREATE", &guild());
    let now = now(&state);
    for (name, value) in guild().as_object().unwrap() {
        assert_eq!(&now[name], value, "{name}");
    }
    assert!((50..200).contains(&state.bytes()), "{}", state.bytes());
}

#[test]
fn outages_and_departures_differ() {
    let mut state = state();
    apply(&mut state, "GUILD_CREATE", &guild());
    apply(&mut state, "GUILD_DELETE", &json!({"id": "5", "unavailable": true}));
    assert_eq!((state.guild(5), state.unavailable()), (None, vec![5]));
    assert!(state.ready("s", "ws://x", (0, 1)).unwrap().contains(r#""id":"5""#));
    apply(&mut state, "GUILD_CREATE", &guild());
    apply(&mut state, "GUILD_DELETE", &json!({"id": "5"}));
    assert_eq!((state.known(), state.unavailable()), (vec![], vec![]));
    assert_eq!(state.bytes(), 0);
}

#[test]
fn an_update_of_a_guild_keeps_what_it_does_not_have() {
    let mut state = state();
    apply(&mut state, "GUILD_CREATE", &guild());
    apply(
        &mut state,
        "GUILD_UPDATE",
        &json!({"id": "5", "name": "new", "roles": [{"id": "7", "permissions": "6755399441055744"}]}),
    );
    let now = now(&state);
    assert_eq!((&now["name"], &now["channels"]), (&json!("new"), &guild()["channels"]));
    assert_eq!(now["roles"][0]["permissions"], "6755399441055744");
    assert_eq!(now["unknown_field"], json!({"kept": [1, 2]}));
}

#[test]
fn members_are_merged_bounded_and_counted() {
    let mut state = State::new(2);
    assert!(state.reset(r#"{"user":{"id":"1"},"guilds":[]}"#));
    let member = |id: u64| json!({"guild_id": "5", "user": {"id": id.to_string()}, "roles": [], "deaf": false, "mute": false});
    apply(&mut state, "GUILD_CREATE", &guild());
    for id in [2, 3, 4, 1] {
        apply(&mut state, "GUILD_MEMBER_ADD", &member(id));
    }
    apply(&mut state, "GUILD_MEMBER_UPDATE", &json!({"guild_id": "5", "user": {"id": "2"}, "nick": "n"}));
    apply(&mut state, "GUILD_MEMBER_UPDATE", &json!({"guild_id": "5", "user": {"id": "9"}, "nick": "n"}));
    let guild = now(&state);
    let ids: Vec<_> =
        guild["members"].as_array().unwrap().iter().map(|m| m["user"]["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["2", "3", "1"], "two, and the bot itself");
    assert_eq!(
        guild["members"][0],
        json!({"user": {"id": "2"}, "roles": [], "deaf": false, "mute": false, "nick": "n"})
    );
    assert_eq!(guild["member_count"], 7);
    apply(&mut state, "GUILD_MEMBER_REMOVE", &json!({"guild_id": "5", "user": {"id": "2"}}));
    assert_eq!(now(&state)["members"].as_array().unwrap().len(), 2);
}

#[test]
fn voice_states_come_and_go_and_bring_their_member() {
    let mut state = state();
    apply(&mut state, "GUILD_CREATE", &guild());
    let member = json!({"user": {"id": "2"}, "roles": [], "deaf": false, "mute": false});
    let voice = |channel: Value| json!({"guild_id": "5", "user_id": "2", "channel_id": channel, "member": member, "x": 1});
    apply(&mut state, "VOICE_STATE_UPDATE", &voice(json!("10")));
    let guild = now(&state);
    assert_eq!(guild["voice_states"], json!([{"user_id": "2", "channel_id": "10", "x": 1}]));
    assert_eq!(guild["members"], json!([member]));
    apply(&mut state, "VOICE_STATE_UPDATE", &voice(Value::Null));
    assert_eq!(now(&state)["voice_states"], json!([]));
}

#[test]
fn threads_follow_their_channel_and_the_bots_membership() {
    let mut state = state();
    apply(&mut state, "GUILD_CREATE", &guild());
    let thread = |id: &str, archived: bool| json!({"id": id, "guild_id": "5", "parent_id": "10", "type": 11, "thread_metadata": {"archived": archived}});
    for id in ["20", "21", "22"] {
        apply(&mut state, "THREAD_CREATE", &thread(id, false));
    }
    apply(
        &mut state,
        "THREAD_MEMBER_UPDATE",
        &json!({"id": "20", "guild_id": "5", "user_id": "1", "flags": 1}),
    );
    apply(&mut state, "THREAD_UPDATE", &thread("20", false));
    apply(&mut state, "THREAD_UPDATE", &thread("21", true));
    apply(
        &mut state,
        "THREAD_MEMBERS_UPDATE",
        &json!({"id": "22", "guild_id": "5", "member_count": 4, "added_members": [{"id": "22", "user_id": "1", "member": {}}]}),
    );
    let threads = now(&state)["threads"].clone();
    assert_eq!(threads[0]["member"], json!({"id": "20", "user_id": "1", "flags": 1}));
    assert_eq!(
        (threads[1]["id"].as_str(), &threads[1]["member"]),
        (Some("22"), &json!({"id": "22", "user_id": "1"}))
    );
    assert_eq!(threads[1]["member_count"], 4);
    apply(
        &mut state,
        "THREAD_MEMBERS_UPDATE",
        &json!({"id": "22", "guild_id": "5", "member_count": 3, "removed_member_ids": ["1"]}),
    );
    assert!(now(&state)["threads"][1].get("member").is_none());
    apply(
        &mut state,
        "THREAD_LIST_SYNC",
        &json!({"guild_id": "5", "channel_ids": ["10"], "threads": [thread("23", false)], "members": [{"id": "23", "user_id": "1"}]}),
    );
    assert_eq!(now(&state)["threads"].as_array().unwrap().len(), 1);
    assert_eq!(now(&state)["threads"][0]["member"]["id"], "23");
    apply(&mut state, "CHANNEL_DELETE", &json!({"id": "10", "guild_id": "5"}));
    assert_eq!((&now(&state)["threads"], &now(&state)["channels"]), (&json!([]), &json!([])));
}

#[test]
fn what_is_no_object_changes_nothing_and_stops_nothing() {
    let mut state = state();
    apply(&mut state, "GUILD_CREATE", &guild());
    let before = now(&state);
    for name in [
        "GUILD_UPDATE",
        "CHANNEL_CREATE",
        "THREAD_LIST_SYNC",
        "PRESENCE_UPDATE",
        "GUILD_MEMBERS_CHUNK",
        "NEW_EVENT",
    ] {
        for data in ["null", "[]", "7", "{}", r#"{"guild_id":"5"}"#, r#"{"guild_id":"x","id":{}}"#] {
            state.apply(name, data);
        }
    }
    // A sync without channels and threads is one of a guild that has none.
    assert_eq!(now(&state)["channels"], before["channels"]);
}

/// A change of one list, as an event and as what it does to a snapshot.
#[derive(Clone, Debug)]
struct Change {
    list: usize,
    id: u64,
    /// `None` removes the entry.
    value: Option<u32>,
}

/// List, events that set and remove an entry, name of the entry's id, and the field that wraps the entry.
const KINDS: [(&str, &str, &str, &str, Option<&str>); 6] = [
    ("channels", "CHANNEL_UPDATE", "CHANNEL_DELETE", "id", None),
    ("roles", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE", "id", Some("role")),
    ("stage_instances", "STAGE_INSTANCE_UPDATE", "STAGE_INSTANCE_DELETE", "id", None),
    ("guild_scheduled_events", "GUILD_SCHEDULED_EVENT_UPDATE", "GUILD_SCHEDULED_EVENT_DELETE", "id", None),
    ("soundboard_sounds", "GUILD_SOUNDBOARD_SOUND_UPDATE", "GUILD_SOUNDBOARD_SOUND_DELETE", "sound_id", None),
    ("voice_states", "VOICE_STATE_UPDATE", "VOICE_STATE_UPDATE", "user_id", None),
];

fn change() -> impl Strategy<Value = Change> {
    (0..KINDS.len(), 30_u64..36, proptest::option::weighted(0.7, any::<u32>()))
        .prop_map(|(list, id, value)| Change { list, id, value })
}

impl Change {
    fn entry(&self, value: u32) -> Map<String, Value> {
        let (list, _, _, id, _) = KINDS[self.list];
        let mut entry = json!({ id: self.id.to_string(), "value": value }).as_object().unwrap().clone();
        if list == "voice_states" {
            entry.insert("channel_id".to_owned(), json!("10"));
        }
        entry
    }

    fn event(&self) -> (&'static str, Value) {
        let (list, set, remove, id, wrap) = KINDS[self.list];
        match (self.value, wrap) {
            (Some(value), Some(wrap)) => (set, json!({"guild_id": "5", wrap: self.entry(value)})),
            (Some(value), None) => {
                let mut entry = self.entry(value);
                entry.insert("guild_id".to_owned(), json!("5"));
                (set, entry.into())
            }
            (None, Some(wrap)) => {
                (remove, json!({"guild_id": "5", format!("{wrap}_id"): self.id.to_string()}))
            }
            (None, None) if list == "voice_states" => {
                (remove, json!({"guild_id": "5", id: self.id.to_string(), "channel_id": null}))
            }
            (None, None) => (remove, json!({"guild_id": "5", id: self.id.to_string()})),
        }
    }

    /// Changes a plain snapshot.
    fn change(&self, guild: &mut Value) {
        let (list, _, _, id, wrap) = KINDS[self.list];
        let entries = guild[list].as_array_mut().unwrap();
        let wanted = self.id.to_string();
        let found = entries.iter().position(|entry| entry[id] == *wanted);
        match (self.value, found) {
            (Some(value), found) => {
                let mut entry = self.entry(value);
                if wrap.is_none() && list != "voice_states" {
                    entry.insert("guild_id".to_owned(), json!("5"));
                }
                match found {
                    Some(index) => entries[index] = entry.into(),
                    None => entries.push(entry.into()),
                }
            }
            (None, Some(index)) => drop(entries.remove(index)),
            (None, None) => {}
        }
    }
}

proptest! {
    #[test]
    fn events_one_by_one_make_what_a_snapshot_says(changes in proptest::collection::vec(change(), 0..60)) {
        let mut snapshot = guild();
        for (list, ..) in KINDS {
            if snapshot.get(list).is_none() {
                snapshot[list] = json!([]);
            }
        }
        let mut state = state();
        apply(&mut state, "GUILD_CREATE", &snapshot);
        for change in &changes {
            change.change(&mut snapshot);
            let (name, data) = change.event();
            apply(&mut state, name, &data);
        }
        let now = now(&state);
        for (list, ..) in KINDS {
            prop_assert_eq!(&now[list], &snapshot[list]);
        }
        // What a host is sent leads to the same state again, of the same size.
        let mut again = self::state();
        again.apply("GUILD_CREATE", &state.guild(5).unwrap());
        prop_assert_eq!(again.guild(5), state.guild(5));
        prop_assert_eq!(again.bytes(), state.bytes());
    }
}
