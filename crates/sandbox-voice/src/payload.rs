//! Payloads that voice clients send: reading and checks.

use std::net::IpAddr;

use discord_rules::snowflake::Snowflake;
use sandbox_net::Close;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::close;
use super::crypto::Mode;

/// Opcodes used by the server.
pub(crate) mod op {
    pub(crate) const READY: u8 = 2;
    pub(crate) const SESSION_DESCRIPTION: u8 = 4;
    pub(crate) const SPEAKING: u8 = 5;
    pub(crate) const HEARTBEAT_ACK: u8 = 6;
    pub(crate) const HELLO: u8 = 8;
    pub(crate) const RESUMED: u8 = 9;
    pub(crate) const CLIENTS_CONNECT: u8 = 11;
    pub(crate) const CLIENT_DISCONNECT: u8 = 13;
}

/// First version of the voice gateway whose messages have sequence numbers.
pub(crate) const BUFFERED: u8 = 8;

/// Request of a client.
#[derive(Debug)]
pub(crate) enum Request {
    Identify(Identify),
    SelectProtocol(Select),
    Heartbeat(Heartbeat),
    Speaking(Speaking),
    Resume(Resume),
    /// One of DAVE's text frames.
    Dave(u8, Value),
}

/// Payload whose opcode is known and whose data has not been read.
#[derive(Debug, Deserialize)]
pub(crate) struct Raw {
    pub(crate) op: u64,
    #[serde(default)]
    d: Value,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Identify {
    pub(crate) server_id: Snowflake,
    pub(crate) user_id: Snowflake,
    pub(crate) session_id: String,
    pub(crate) token: String,
    #[serde(default)]
    pub(crate) max_dave_protocol_version: Option<u16>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Resume {
    pub(crate) server_id: Snowflake,
    pub(crate) session_id: String,
    pub(crate) token: String,
    #[serde(default)]
    pub(crate) seq_ack: Option<i64>,
}

/// SELECT PROTOCOL that can be granted, as far as it can be checked without knowing what is offered.
#[derive(Debug)]
pub(crate) struct Select {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    pub(crate) mode: Mode,
}

#[derive(Deserialize)]
struct RawSelect {
    protocol: String,
    #[serde(default)]
    data: Value,
}

#[derive(Deserialize)]
struct RawSelectData {
    address: String,
    port: u16,
    mode: String,
}

/// Heartbeat with what its acknowledgement repeats.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    /// Data of the acknowledgement.
    pub(crate) answer: Value,
}

#[derive(Deserialize)]
struct RawHeartbeat {
    t: u64,
    #[serde(default)]
    #[expect(dead_code, reason = "read so that a wrong one is refused")]
    seq_ack: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Speaking {
    /// Flags: microphone, soundshare, priority.
    pub(crate) speaking: u8,
    /// The documentation's example has it; Discord does not miss it (py-cord leaves it out).
    #[serde(default)]
    pub(crate) ssrc: Option<u32>,
    #[serde(default)]
    pub(crate) delay: Option<u32>,
}

impl Raw {
    /// Reads a text frame up to its opcode.
    pub(crate) fn read(text: &str) -> Result<Self, Close> {
        // serde would take a list of fields for the object as well.
        if !text.trim_start().starts_with('{') {
            return Err(close::decode("it is no JSON object"));
        }
        serde_json::from_str(text).map_err(close::decode)
    }

    /// Returns the data, which has not been read.
    pub(crate) fn data(&self) -> &Value {
        &self.d
    }

    /// Reads the data as its opcode and the version require.
    pub(crate) fn request(self, version: u8) -> Result<Request, Close> {
        let data = self.d;
        Ok(match self.op {
            0 => Request::Identify(decode(data, close::decode)?),
            1 => Request::SelectProtocol(select(data)?),
            3 => Request::Heartbeat(heartbeat(data, version)?),
            5 => Request::Speaking(decode(data, close::bad_request)?),
            7 => Request::Resume(decode(data, close::decode)?),
            op @ (23 | 31) => Request::Dave(if op == 23 { 23 } else { 31 }, data),
            _ => return Err(close::unknown_opcode()),
        })
    }
}

fn decode<T: DeserializeOwned>(data: Value, refuse: fn(String) -> Close) -> Result<T, Close> {
    if !data.is_object() {
        return Err(refuse("d must be an object".into()));
    }
    serde_json::from_value(data).map_err(|error| refuse(error.to_string()))
}

fn select(data: Value) -> Result<Select, Close> {
    let raw: RawSelect = decode(data, close::bad_request)?;
    if raw.protocol != "udp" {
        return Err(close::unknown_protocol());
    }
    let RawSelectData { address, port, mode } = decode(raw.data, close::bad_request)?;
    let address =
        address.parse().map_err(|_| close::bad_request("the address of data must be an IP address"))?;
    if port == 0 {
        return Err(close::bad_request("the port of data must not be 0"));
    }
    Ok(Select { address, port, mode: Mode::named(&mode).ok_or_else(close::unknown_mode)? })
}

fn heartbeat(data: Value, version: u8) -> Result<Heartbeat, Close> {
    if version < BUFFERED {
        return if data.is_u64() || data.is_i64() {
            Ok(Heartbeat { answer: data })
        } else {
            Err(close::bad_request("d of a heartbeat must be an integer below version 8"))
        };
    }
    let RawHeartbeat { t, .. } = decode(data, close::bad_request)?;
    Ok(Heartbeat { answer: serde_json::json!({ "t": t }) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{Raw, Request};

    fn read(text: &str, version: u8) -> Result<Request, u16> {
        Raw::read(text).and_then(|raw| raw.request(version)).map_err(|close| close.code)
    }

    #[test]
    fn wrong_payloads_close_with_the_documented_codes() {
        let select = |mode: &str, address: &str| json!({"op": 1, "d": {"protocol": "udp", "data": {"address": address, "port": 1, "mode": mode}}});
        let gcm = "aead_aes256_gcm_rtpsize";
        for (payload, version, code) in [
            (json!([0]), 8, 4002),
            (json!({"d": 1}), 8, 4002),
            (json!({"op": 0, "d": {"server_id": "1"}}), 8, 4002),
            (json!({"op": 7, "d": null}), 8, 4002),
            (json!({"op": 2, "d": null}), 8, 4001),
            (json!({"op": 25, "d": null}), 8, 4001),
            (json!({"op": 99}), 4, 4001),
            (json!({"op": 1, "d": {"protocol": "webrtc", "data": {}}}), 8, 4012),
            (json!({"op": 1, "d": {"protocol": "udp", "data": {}}}), 8, 4020),
            (select("xsalsa20_poly1305", "127.0.0.1"), 8, 4016),
            (select(gcm, "localhost"), 8, 4020),
            (json!({"op": 3, "d": 1}), 8, 4020),
            (json!({"op": 3, "d": {"t": 1}}), 4, 4020),
            (json!({"op": 3, "d": {"t": 1, "seq_ack": "1"}}), 8, 4020),
            (json!({"op": 5, "d": {"speaking": true, "ssrc": 1}}), 8, 4020),
        ] {
            assert_eq!(read(&payload.to_string(), version).unwrap_err(), code, "{payload}");
        }
        assert_eq!(read("{", 8).unwrap_err(), 4002);
        assert!(read(&select(gcm, "::1").to_string(), 8).is_ok());
        let Ok(Request::Heartbeat(beat)) = read(r#"{"op": 3, "d": {"t": 5, "seq_ack": -1}}"#, 8) else {
            panic!()
        };
        assert_eq!(beat.answer, json!({"t": 5}));
        let Ok(Request::Heartbeat(beat)) = read(r#"{"op": 3, "d": 5}"#, 4) else { panic!() };
        assert_eq!(beat.answer, json!(5));
    }

    proptest! {
        #[test]
        fn no_frame_makes_the_reader_panic(text in ".{0,200}", op in 0_u64..40, data in ".{0,50}", version in 4_u8..9) {
            let _ = read(&text, version);
            let _ = read(&json!({"op": op, "d": data}).to_string(), version);
        }
    }
}
