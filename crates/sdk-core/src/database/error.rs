//! Why the database did not do something.

use std::error::Error;
use std::fmt;

/// Why the database did not do something: one sentence.
#[derive(Debug)]
pub struct DatabaseError {
    kind: DatabaseErrorKind,
    sentence: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Kinds of [`DatabaseError`] that callers distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseErrorKind {
    /// It does not answer now; the same request may succeed later. Nothing was changed, unless the connection was lost
    /// while it was being committed.
    Unavailable,
    /// A value that must be unique is there already.
    Taken,
    /// Another rule of a table is broken: a foreign key, a check, a column that must not be empty.
    Constraint,
    /// The disk is full, or cannot be written.
    Full,
    /// The statement, a parameter, a migration or a type does not fit.
    Refused,
}

impl DatabaseError {
    /// Creates an error with a sentence.
    pub fn new(kind: DatabaseErrorKind, sentence: impl Into<String>) -> Self {
        Self { kind, sentence: sentence.into(), source: None }
    }

    /// Adds the error that caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Creates the error of a database that does not answer: a sentence for the user.
    pub fn unavailable() -> Self {
        Self::new(
            DatabaseErrorKind::Unavailable,
            "The database does not answer right now. Please try again in a moment.",
        )
    }

    pub(crate) fn none() -> Self {
        Self::new(DatabaseErrorKind::Refused, "this host has no database")
    }

    pub(super) fn row(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        Self::new(DatabaseErrorKind::Refused, format!("a row does not fit its type: {error}"))
    }

    pub(super) fn no_column() -> Self {
        Self::new(DatabaseErrorKind::Refused, "the statement returns no column")
    }

    pub(super) fn column(name: &str, error: &serde_json::Error) -> Self {
        Self::new(DatabaseErrorKind::Refused, format!("the column {name} does not fit its type: {error}"))
    }

    /// Returns its kind.
    pub fn kind(&self) -> DatabaseErrorKind {
        self.kind
    }

    /// Returns whether the same request may succeed later.
    pub fn is_unavailable(&self) -> bool {
        self.kind == DatabaseErrorKind::Unavailable
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl Error for DatabaseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
