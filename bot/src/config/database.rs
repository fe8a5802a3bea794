//! Where the database is.

use std::path::Path;

use database::DatabaseAddress;

use super::reader::Reader;

/// Name of the file of SQLite, beside the state file or in the current folder.
const FILE: &str = "hotcord.db";

/// The database, from `DATABASE_URL`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Database(Option<DatabaseAddress>);

impl Database {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self(reader.read_secret("DATABASE_URL", str::parse))
    }

    /// Returns whether it was configured. The bot needs it then; it runs without the default one.
    pub(crate) fn is_configured(&self) -> bool {
        self.0.is_some()
    }

    /// Returns whether several processes may use it at once.
    pub(crate) fn is_shared(&self) -> bool {
        self.0.as_ref().is_some_and(DatabaseAddress::is_shared)
    }

    /// Returns the database, opened if it was configured. The default, a file beside the state file, is opened when it is
    /// used first.
    pub(crate) async fn open(
        &self,
        state_file: Option<&Path>,
    ) -> Result<database::Database, database::OpenError> {
        let address = self.address(state_file);
        match &self.0 {
            Some(_) => database::Database::open(address).await,
            None => Ok(database::Database::lazy(address)),
        }
    }

    /// Returns where the database is.
    pub(crate) fn address(&self, state_file: Option<&Path>) -> DatabaseAddress {
        self.0.clone().unwrap_or_else(|| {
            let folder = state_file.and_then(Path::parent);
            DatabaseAddress::file(folder.map_or_else(|| FILE.into(), |folder| folder.join(FILE)))
        })
    }

    /// Returns whether it is another database.
    #[cfg(any(feature = "hmr", test))]
    pub(super) fn differs(&self, other: &Self) -> bool {
        self.0 != other.0
    }
}
