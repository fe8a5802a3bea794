//! Typed documents of guilds, users and members.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serenity::all::{GuildId, UserId};

use super::{DatabaseError, DatabaseErrorKind, Engine, MAX_DOCUMENT, NewDocument};
use crate::{Error, PluginId};

/// Attempts to change a document that other processes change at the same time.
const ATTEMPTS: usize = 64;

/// A plugin's document of a guild, a user or a member: `ctx.data().guild::<Settings>(guild)`.
///
/// A new field needs `#[serde(default)]`. A change that serde cannot handle needs a higher [`VERSION`](Self::VERSION)
/// and a [`migrate`](Self::migrate).
pub trait Document: Serialize + DeserializeOwned + Default + Send + Sync + 'static {
    /// Name under which documents of this type are kept. It stays when the type is renamed.
    const NAME: &'static str;

    /// Version of the type's format.
    const VERSION: u32 = 1;

    /// Creates a value from one written by another version, older or newer.
    ///
    /// # Errors
    /// If that is not possible, which is the default.
    fn migrate(from_version: u32, value: Value) -> Result<Self, Error> {
        drop(value);
        Err(format!("there is no migration from version {from_version} to {}", Self::VERSION).into())
    }
}

/// What a document belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// The plugin as a whole.
    Global,
    /// A guild.
    Guild(GuildId),
    /// A user, in all guilds.
    User(UserId),
    /// A user in one guild.
    Member(GuildId, UserId),
}

impl Scope {
    /// Returns its guild, if it has one.
    pub fn guild(self) -> Option<GuildId> {
        match self {
            Self::Guild(guild) | Self::Member(guild, _) => Some(guild),
            Self::Global | Self::User(_) => None,
        }
    }

    /// Returns its user, if it has one.
    pub fn user(self) -> Option<UserId> {
        match self {
            Self::User(user) | Self::Member(_, user) => Some(user),
            Self::Global | Self::Guild(_) => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("the plugin"),
            Self::Guild(guild) => write!(f, "guild {guild}"),
            Self::User(user) => write!(f, "user {user}"),
            Self::Member(guild, user) => write!(f, "member {user} of guild {guild}"),
        }
    }
}

/// Identifies a document.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentKey {
    /// Plugin that it belongs to.
    pub plugin: PluginId,
    /// Name of its type.
    pub kind: String,
    /// What it belongs to.
    pub scope: Scope,
}

/// A document as the database has it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDocument {
    /// Version of its format.
    pub version: u32,
    /// Number of its writes, from 1.
    pub revision: u64,
    /// The document.
    pub value: Value,
}

/// A handle to one document. Cheap to make; every method asks the database, or its cache.
pub struct Documents<T> {
    engine: Option<Arc<dyn Engine>>,
    key: DocumentKey,
    of: PhantomData<fn() -> T>,
}

impl<T: Document> Documents<T> {
    /// Creates a handle to a plugin's document. Plugins call [`Data::guild`](crate::Data::guild) and its neighbours.
    pub fn new(engine: Option<Arc<dyn Engine>>, plugin: PluginId, scope: Scope) -> Self {
        Self { engine, key: DocumentKey { plugin, kind: T::NAME.to_owned(), scope }, of: PhantomData }
    }

    /// Returns the document, or the type's default if there is none.
    ///
    /// # Errors
    /// If the database does not answer, or what is stored does not fit the type.
    pub async fn get(&self) -> Result<T, Error> {
        Ok(self.find().await?.unwrap_or_default())
    }

    /// Returns the document, or `None` if there is none.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn find(&self) -> Result<Option<T>, Error> {
        let stored = self.engine()?.document(&self.key).await?;
        stored.map(|stored| self.typed(&stored)).transpose()
    }

    /// Writes the document. It then survives the end of the process.
    ///
    /// # Errors
    /// If it cannot be serialised or is larger than [`MAX_DOCUMENT`], or if the database does not answer. The old one
    /// then stays.
    pub async fn set(&self, value: &T) -> Result<(), Error> {
        self.write(Some(self.new_document(value)?), None).await?;
        Ok(())
    }

    /// Changes the document in one step, of which no other caller sees an intermediate result, in no process. Returns
    /// what `change` returns.
    ///
    /// `change` runs again with the newer document if another caller was faster. Without a document it gets the default.
    ///
    /// # Errors
    /// As [`get`](Self::get) and [`set`](Self::set), or if others change the document all the time. It is then unchanged.
    pub async fn update<R>(&self, mut change: impl FnMut(&mut T) -> R) -> Result<R, Error> {
        let _turn = self.engine()?.turn(&self.key).await;
        for _ in 0..ATTEMPTS {
            let stored = self.engine()?.document(&self.key).await?;
            let revision = stored.as_ref().map_or(0, |stored| stored.revision);
            let mut value = match &stored {
                Some(stored) => self.typed(stored)?,
                None => T::default(),
            };
            let result = change(&mut value);
            if self.write(Some(self.new_document(&value)?), Some(revision)).await? {
                return Ok(result);
            }
        }
        Err(Box::new(DatabaseError::new(
            DatabaseErrorKind::Unavailable,
            "This is being changed by too many at once. Please try again in a moment.",
        )))
    }

    /// Deletes the document. Returns whether there was one.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn delete(&self) -> Result<bool, Error> {
        for _ in 0..ATTEMPTS {
            let Some(stored) = self.engine()?.document(&self.key).await? else { return Ok(false) };
            if self.write(None, Some(stored.revision)).await? {
                return Ok(true);
            }
        }
        // Someone else writes it all the time, so there is one to delete.
        self.write(None, None).await
    }

    async fn write(&self, document: Option<NewDocument>, expected: Option<u64>) -> Result<bool, Error> {
        Ok(self.engine()?.write_document(&self.key, document, expected).await?)
    }

    fn engine(&self) -> Result<&Arc<dyn Engine>, Error> {
        Ok(self.engine.as_ref().ok_or_else(DatabaseError::none)?)
    }

    fn typed(&self, stored: &StoredDocument) -> Result<T, Error> {
        let value = if stored.version == T::VERSION {
            serde_path_to_error::deserialize(&stored.value).map_err(|error| error.to_string())
        } else {
            T::migrate(stored.version, stored.value.clone()).map_err(|error| error.to_string())
        };
        value.map_err(|error| self.key.unfit(&error).into())
    }

    fn new_document(&self, value: &T) -> Result<NewDocument, Error> {
        let value = serde_json::to_value(value).map_err(|error| self.key.unfit(&error.to_string()))?;
        Ok(NewDocument { version: T::VERSION, value })
    }
}

/// Not generic, so that plugins do not compile it again.
impl DocumentKey {
    fn unfit(&self, error: &str) -> DatabaseError {
        let Self { plugin, kind, scope } = self;
        let sentence =
            format!("the document '{kind}' of {plugin} for {scope} does not fit its type: {error}");
        DatabaseError::new(DatabaseErrorKind::Refused, sentence)
    }

    /// Creates the error of a document of `bytes`, which is more than [`MAX_DOCUMENT`].
    pub fn too_large(&self, bytes: usize) -> DatabaseError {
        let Self { plugin, kind, scope } = self;
        let sentence = format!(
            "the document '{kind}' of {plugin} for {scope} would be {bytes} bytes, and at most {MAX_DOCUMENT} are kept"
        );
        DatabaseError::new(DatabaseErrorKind::Refused, sentence)
    }
}
