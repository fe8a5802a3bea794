//! Databases for tests: files, and a PostgreSQL server.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use database::{Database, DatabaseAddress};
use sdk_core::database::Engine;
use tempfile::TempDir;

pub(crate) use crate::server::Server;

/// Runs a test on SQLite and, where it is installed, on PostgreSQL.
macro_rules! on_both {
    ($($(#[$attribute:meta])* async fn $name:ident($place:ident: Place) $body:block)*) => {
        $(mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn run($place: crate::place::Place) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run(crate::place::Place::file()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(place) = crate::place::Place::server() {
                    run(place).await;
                }
            }
        })*
    };
}
pub(crate) use on_both;

/// An empty database.
pub(crate) struct Place {
    pub(crate) address: DatabaseAddress,
    /// The folder of a file.
    pub(crate) folder: Option<TempDir>,
    /// The address of a server, for other processes.
    pub(crate) url: Option<String>,
}

impl Place {
    pub(crate) fn file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { address: DatabaseAddress::file(folder.path().join("bot.db")), folder: Some(folder), url: None }
    }

    /// Returns an empty database of the server, or `None` where PostgreSQL is not installed.
    pub(crate) fn server() -> Option<Self> {
        static DATABASES: AtomicU32 = AtomicU32::new(0);
        static SHARED: OnceLock<Option<Server>> = OnceLock::new();
        let server = SHARED.get_or_init(|| Server::start().unwrap()).as_ref()?;
        let url = server.database(&format!("test{}", DATABASES.fetch_add(1, Ordering::Relaxed)));
        Some(Self { address: url.parse().unwrap(), folder: None, url: Some(url) })
    }

    pub(crate) async fn open(&self) -> Arc<Database> {
        Arc::new(Database::open(self.address.clone()).await.unwrap())
    }

    pub(crate) async fn engine(&self) -> Arc<dyn Engine> {
        self.open().await
    }
}
