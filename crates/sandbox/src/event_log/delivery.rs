//! The content of the line of a request to an endpoint.

use serde::Serialize;

use super::body::Body;
use crate::snowflake::Snowflake;

/// One request to an endpoint of an application, and its answer.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Delivery {
    /// Bot whose application it is.
    pub bot: Snowflake,
    /// What was sent: `INTERACTION_CREATE`, `PING`, or a type of webhook events.
    pub event: String,
    /// Address, without its query.
    pub url: String,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Status of the answer; absent if none came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Microseconds from the request to the end of the answer.
    pub us: u64,
    /// Body of the request, tokens redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Body>,
    /// Body of the answer, tokens redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Body>,
    /// Why it counts as a failure, in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Number of the fault rule that struck it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<u64>,
}
