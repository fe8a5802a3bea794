//! Payloads of clients, parsed and validated.

use sandbox_net::Close;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use super::{Intents, VoiceStateUpdate, close};
use crate::fault::lay_over;
use crate::snowflake::Snowflake;

/// Longest payload that a client may send, in bytes (Gateway, "Sending Events").
pub(super) const LONGEST: usize = 4096;

/// Opcodes that both sides use.
pub(super) mod op {
    pub(in crate::gateway) const HEARTBEAT: u8 = 1;
    pub(in crate::gateway) const RECONNECT: u8 = 7;
    pub(in crate::gateway) const INVALID_SESSION: u8 = 9;
    pub(in crate::gateway) const HELLO: u8 = 10;
    pub(in crate::gateway) const HEARTBEAT_ACK: u8 = 11;
}

/// A request of a client.
#[derive(Debug)]
pub(super) enum Request {
    Heartbeat,
    Identify(Box<Identify>),
    Presence(Value),
    VoiceState(VoiceStateUpdate),
    Resume(Resume),
    Members(MembersRequest),
    Soundboard(Vec<Snowflake>),
    ChannelInfo(ChannelInfoRequest),
}

/// A payload whose opcode is known and whose data is not parsed yet.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Raw {
    pub(super) op: u64,
    #[serde(default)]
    d: Value,
}

#[derive(Debug)]
pub(super) struct Identify {
    pub(super) token: String,
    pub(super) compress: bool,
    pub(super) large_threshold: usize,
    pub(super) shard: Option<[u32; 2]>,
    pub(super) presence: Option<Value>,
    pub(super) intents: Intents,
}

#[derive(Debug, Deserialize)]
struct RawIdentify {
    token: String,
    #[serde(rename = "properties")]
    _properties: IgnoredAny,
    /// oceanic.js sends a text here, which means nothing: only the query parameter counts.
    #[serde(default)]
    compress: Value,
    #[serde(default)]
    large_threshold: Option<u64>,
    #[serde(default)]
    shard: Option<Value>,
    #[serde(default)]
    presence: Option<Value>,
    #[serde(default)]
    intents: Option<Value>,
    /// Bits that had to be set for hidden channels before all bots got them.
    #[serde(default, rename = "capabilities")]
    _capabilities: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Resume {
    pub(super) token: String,
    pub(super) session_id: String,
    pub(super) seq: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct MembersRequest {
    #[serde(deserialize_with = "one")]
    pub(super) guild_id: Snowflake,
    #[serde(default)]
    pub(super) query: Option<String>,
    #[serde(default)]
    pub(super) limit: Option<u64>,
    #[serde(default)]
    pub(super) presences: Option<bool>,
    #[serde(default, deserialize_with = "one_or_many")]
    pub(super) user_ids: Option<Vec<Snowflake>>,
    #[serde(default)]
    nonce: Value,
}

#[derive(Deserialize)]
struct GuildIds {
    guild_ids: Vec<Snowflake>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ChannelInfoRequest {
    pub(super) guild_id: Snowflake,
    #[serde(default)]
    pub(super) fields: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Snowflake),
    Many(Vec<Snowflake>),
}

/// Reads one id. Old libraries still wrap it into a list.
fn one<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Snowflake, D::Error> {
    match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(id) => Ok(id),
        OneOrMany::Many(ids) => match ids[..] {
            [id] => Ok(id),
            _ => Err(serde::de::Error::custom("exactly one guild_id is allowed")),
        },
    }
}

fn one_or_many<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Snowflake>>, D::Error> {
    Ok(Option::<OneOrMany>::deserialize(deserializer)?.map(|ids| match ids {
        OneOrMany::One(id) => vec![id],
        OneOrMany::Many(ids) => ids,
    }))
}

impl MembersRequest {
    /// Returns the nonce to repeat in the chunks. One that is too long or no text is ignored, as documented.
    pub(super) fn nonce(&self) -> Option<&str> {
        self.nonce.as_str().filter(|nonce| nonce.len() <= 32)
    }
}

impl Raw {
    /// Reads a frame up to its opcode.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Close> {
        // serde would also accept a list of fields for the object.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(close::decode("it is no JSON object"));
        }
        serde_json::from_slice(bytes).map_err(close::decode)
    }

    /// Reads a payload that was decoded already.
    pub(super) fn from_value(value: Value) -> Result<Self, Close> {
        if !value.is_object() {
            return Err(close::decode("it is no map"));
        }
        serde_json::from_value(value).map_err(close::decode)
    }

    /// Returns the data, which is not parsed yet.
    pub(super) fn data(&self) -> &Value {
        &self.d
    }

    /// Changes the data by a JSON merge patch.
    pub(super) fn patch(&mut self, merge: &Value) {
        lay_over(&mut self.d, merge);
    }

    /// Parses the data by its opcode.
    pub(super) fn request(self) -> Result<Request, Close> {
        let data = self.d;
        Ok(match self.op {
            1 => Request::Heartbeat,
            2 => Request::Identify(Box::new(identify(data)?)),
            3 => Request::Presence(presence(data)?),
            4 => Request::VoiceState(decode(data)?),
            6 => Request::Resume(decode(data)?),
            8 => Request::Members(members(data)?),
            31 => Request::Soundboard(decode::<GuildIds>(data)?.guild_ids),
            43 => Request::ChannelInfo(decode(data)?),
            _ => return Err(close::unknown_opcode()),
        })
    }
}

fn decode<T: DeserializeOwned>(data: Value) -> Result<T, Close> {
    if !data.is_object() {
        return Err(close::decode("d must be an object"));
    }
    serde_json::from_value(data).map_err(close::decode)
}

fn identify(data: Value) -> Result<Identify, Close> {
    let raw: RawIdentify = decode(data)?;
    // Intents are mandatory since v8, and only known bits are valid.
    let bits = raw.intents.as_ref().and_then(Value::as_u64);
    let intents = bits.and_then(Intents::from_bits).ok_or_else(close::invalid_intents)?;
    let shard = raw.shard.filter(|shard| !shard.is_null()).map(shard).transpose()?;
    Ok(Identify {
        token: raw.token,
        compress: raw.compress == true,
        large_threshold: usize::try_from(raw.large_threshold.unwrap_or(50).clamp(50, 250)).unwrap_or(50),
        shard,
        presence: raw.presence.filter(|presence| !presence.is_null()).map(presence).transpose()?,
        intents,
    })
}

fn shard(value: Value) -> Result<[u32; 2], Close> {
    let [shard, shards]: [u32; 2] = serde_json::from_value(value).map_err(|_| close::invalid_shard())?;
    if shard < shards { Ok([shard, shards]) } else { Err(close::invalid_shard()) }
}

/// Validates an Update Presence structure. The values of `since` differ between libraries and are not checked.
fn presence(data: Value) -> Result<Value, Close> {
    const STATUSES: [&str; 5] = ["online", "dnd", "idle", "invisible", "offline"];
    let Some(fields) = data.as_object() else {
        return Err(close::decode("a presence must be an object"));
    };
    let status_fits = match fields.get("status") {
        None => true,
        Some(status) => status.as_str().is_some_and(|status| STATUSES.contains(&status)),
    };
    if !status_fits {
        return Err(close::decode(
            "the status of a presence must be online, dnd, idle, invisible or offline",
        ));
    }
    let named = |activity: &Value| activity["name"].is_string() && activity["type"].is_u64();
    let activities_fit = match fields.get("activities") {
        None | Some(Value::Null) => true,
        Some(activities) => activities.as_array().is_some_and(|activities| activities.iter().all(named)),
    };
    if !activities_fit {
        return Err(close::decode("each activity of a presence needs a name and a type"));
    }
    Ok(data)
}

fn members(data: Value) -> Result<MembersRequest, Close> {
    let request: MembersRequest = decode(data)?;
    match (&request.query, &request.user_ids, request.limit) {
        (None, None, _) => Err(close::decode("one of query or user_ids is needed")),
        (Some(_), None, None) => Err(close::decode("limit is needed with query")),
        _ => Ok(request),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{Raw, Request};
    use crate::snowflake::Snowflake;

    fn read(text: &str) -> Result<Request, u16> {
        Raw::read(text.as_bytes()).and_then(Raw::request).map_err(|close| close.code)
    }

    #[test]
    fn wrong_payloads_close_with_the_documented_codes() {
        let identify = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut data = json!({"token": "t", "properties": {}, "intents": 513});
            change(&mut data);
            json!({"op": 2, "d": data}).to_string()
        };
        for (text, code) in [
            ("{".to_owned(), 4002),
            ("[1]".to_owned(), 4002),
            (r#"{"d": null}"#.to_owned(), 4002),
            (r#"{"op": "1"}"#.to_owned(), 4002),
            (r#"{"op": 99, "d": null}"#.to_owned(), 4001),
            (r#"{"op": 0, "d": null}"#.to_owned(), 4001),
            (r#"{"op": 11, "d": null}"#.to_owned(), 4001),
            (r#"{"op": 6, "d": {"token": "t"}}"#.to_owned(), 4002),
            (r#"{"op": 6, "d": ["t", "s", 1]}"#.to_owned(), 4002),
            (r#"{"op": 3, "d": {"status": "sleeping"}}"#.to_owned(), 4002),
            (r#"{"op": 8, "d": {"guild_id": "1"}}"#.to_owned(), 4002),
            (identify(&|data| data["token"] = json!(1)), 4002),
            (identify(&|data| data["properties"].take().clone_into(&mut data["token"])), 4002),
            (identify(&|data| data["capabilities"] = json!("32768")), 4002),
            (identify(&|data| data["intents"] = json!(1 << 30)), 4013),
            (identify(&|data| data["intents"] = json!(-1)), 4013),
            (identify(&|data| drop(data.as_object_mut().unwrap().remove("intents"))), 4013),
            (identify(&|data| data["shard"] = json!([1, 1])), 4010),
            (identify(&|data| data["shard"] = json!([0, 0])), 4010),
            (identify(&|data| data["shard"] = json!([-1, 2])), 4010),
        ] {
            assert_eq!(read(&text).unwrap_err(), code, "{text}");
        }
    }

    #[test]
    fn an_identify_as_libraries_send_it_is_read() {
        // serenity sends a struct of seconds and nanoseconds in `since`.
        let text = r#"{"op": 2, "d": {"compress": true, "token": "t", "large_threshold": 250, "shard": [0, 1],
            "intents": 513, "properties": {"browser": "serenity"}, "presence": {"afk": false, "status": "online",
            "since": {"secs_since_epoch": 1, "nanos_since_epoch": 2}, "activities": []}}}"#;
        let Ok(Request::Identify(identify)) = read(text) else { panic!() };
        assert!(identify.compress && identify.presence.is_some());
        assert_eq!((identify.shard, identify.large_threshold), (Some([0, 1]), 250));
    }

    #[test]
    fn members_are_asked_for_by_one_id_or_many() {
        for (ids, expected) in [(json!("5"), vec![5]), (json!(["5", "6"]), vec![5, 6])] {
            let text = json!({"op": 8, "d": {"guild_id": ["1"], "user_ids": ids, "nonce": "x".repeat(33)}})
                .to_string();
            let Ok(Request::Members(request)) = read(&text) else { panic!("{text}") };
            assert_eq!(request.guild_id, Snowflake(1));
            assert_eq!(request.nonce(), None);
            assert_eq!(request.user_ids.unwrap(), expected.into_iter().map(Snowflake).collect::<Vec<_>>());
        }
    }

    proptest! {
        #[test]
        fn no_frame_makes_the_reader_panic(text in ".{0,300}", op in 0_u64..50, data in ".{0,100}") {
            let _ = read(&text);
            let _ = read(&json!({"op": op, "d": data}).to_string());
        }
    }
}
