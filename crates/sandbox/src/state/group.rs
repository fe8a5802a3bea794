//! Group direct messages, which applications create with access tokens of users.

use serde_json::{Map, Value};

use crate::snowflake::Snowflake;

/// The additional fields of a group.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Group {
    /// The bot that created it.
    pub owner: Snowflake,
    /// Hash of its icon.
    pub icon: Option<String>,
}

impl Group {
    /// Writes its fields into a channel object.
    pub(super) fn write(&self, name: &str, object: &mut Map<String, Value>) {
        object.insert("name".into(), if name.is_empty() { Value::Null } else { name.into() });
        object.insert("icon".into(), self.icon.clone().into());
        object.insert("owner_id".into(), self.owner.to_string().into());
        object.insert("application_id".into(), self.owner.to_string().into());
        object.insert("managed".into(), true.into());
    }
}
