//! Parameters of statements.

use serde_json::Value;

/// A parameter of a statement, `$1`, `$2` and so on: made by [`params!`](crate::params).
#[derive(Clone, Debug, PartialEq)]
pub enum Parameter {
    /// NULL.
    Null,
    /// A truth value. SQLite keeps it as 0 or 1.
    Bool(bool),
    /// A whole number. Ids of Discord are such numbers too.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl From<bool> for Parameter {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Parameter {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<&str> for Parameter {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Parameter {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Parameter {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<Vec<u8>> for Parameter {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

/// JSON is kept as text.
impl From<&Value> for Parameter {
    fn from(value: &Value) -> Self {
        Self::Text(value.to_string())
    }
}

impl<T: Into<Parameter>> From<Option<T>> for Parameter {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Parameter {
            fn from(value: $integer) -> Self {
                Self::Integer(value.into())
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, u8, u16, u32);

macro_rules! ids {
    ($($id:ident),*) => {$(
        impl From<serenity::all::$id> for Parameter {
            fn from(id: serenity::all::$id) -> Self {
                Self::Integer(id.get().cast_signed())
            }
        }
    )*};
}

ids!(
    AttachmentId,
    ChannelId,
    CommandId,
    EmojiId,
    GuildId,
    InteractionId,
    MessageId,
    RoleId,
    UserId,
    WebhookId
);

/// Lists the parameters of a statement: `params![guild, user, "reason"]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        ::std::vec![$($crate::database::Parameter::from($value)),*]
    };
}
