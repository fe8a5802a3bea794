//! The three states of a field in a PATCH.

use serde::{Deserialize, Deserializer};

/// State of one field in a body: absent, null, or a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// Absent: a PATCH keeps the field.
    #[default]
    Keep,
    /// Null: resets the field to none, or to the default.
    Clear,
    /// Sets the field to this value.
    Set(T),
}

impl<T> Change<T> {
    /// Returns the value, if one was given.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    /// Returns the value by reference, if one was given.
    pub fn as_ref(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    /// Returns whether the body mentions the field.
    pub fn is_change(&self) -> bool {
        !matches!(self, Self::Keep)
    }

    /// Writes the change into a field that may be empty; returns whether the field has changed.
    pub fn apply(self, field: &mut Option<T>) -> bool
    where
        T: PartialEq,
    {
        let next = match self {
            Self::Keep => return false,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        };
        let changed = *field != next;
        *field = next;
        changed
    }

    /// Writes the change into a field that has a default; returns whether the field has changed.
    pub fn apply_or(self, field: &mut T, default: T) -> bool
    where
        T: PartialEq,
    {
        let next = match self {
            Self::Keep => return false,
            Self::Clear => default,
            Self::Set(value) => value,
        };
        let changed = *field != next;
        *field = next;
        changed
    }

    /// Returns the change with its value converted, or why it cannot be converted.
    pub fn try_map<U, E>(self, f: impl FnOnce(T) -> Result<U, E>) -> Result<Change<U>, E> {
        Ok(match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::Set(value) => Change::Set(f(value)?),
        })
    }

    /// Returns the change with its value converted.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::Set(value) => Change::Set(f(value)),
        }
    }
}

/// Null clears, any other value sets. A field of this type needs `#[serde(default)]`: absent keeps.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use super::Change;

    #[test]
    fn a_change_tells_whether_it_changed_anything() {
        let mut topic = Some("a".to_owned());
        assert!(!Change::Keep.apply(&mut topic));
        assert!(!Change::Set("a".to_owned()).apply(&mut topic));
        assert!(Change::Clear.apply(&mut topic));
        assert_eq!(topic, None);
        let mut limit = 5;
        assert!(Change::Clear.apply_or(&mut limit, 0));
        assert_eq!(limit, 0);
    }
}
