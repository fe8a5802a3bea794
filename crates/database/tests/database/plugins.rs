//! Generations of plugins: their migrations run before they start, and what they keep is there for the next one.

use std::sync::Arc;
use std::time::Duration;

use sdk_core::database::{Document, Migration};
use sdk_core::generation::Generation;
use sdk_core::host::Host;
use sdk_core::settings::Settings;
use sdk_core::{Data, Error, Plugin, PluginEntry, params};
use serde::{Deserialize, Serialize};
use serenity::all::GuildId;
use serenity::async_trait;

use crate::place::on_both;

const WITHIN: Duration = Duration::from_secs(20);
const FIRST: Migration =
    Migration { name: "0001_starts", sql: "CREATE TABLE one_starts (generation BIGINT)" };
const BROKEN: Migration = Migration { name: "0002_more", sql: "ALTER TABLE nowhere ADD COLUMN more BIGINT" };

#[derive(Default, Serialize, Deserialize)]
struct Starts {
    count: u64,
}

impl Document for Starts {
    const NAME: &'static str = "starts";
}

struct One(&'static [Migration]);

#[async_trait]
impl Plugin for One {
    fn migrations(&self) -> &'static [Migration] {
        self.0
    }

    async fn start(&self, data: &Data) -> Result<(), Error> {
        let generation = i64::try_from(data.generation())?;
        data.sql().execute("INSERT INTO one_starts VALUES ($1)", params![generation]).await?;
        data.guild::<Starts>(GuildId::new(7)).update(|starts| starts.count += 1).await
    }
}

static GOOD: PluginEntry = PluginEntry::new("commands-one", "1.0.0", "", || Box::new(One(&[FIRST])));
static BAD: PluginEntry = PluginEntry::new("commands-one", "1.0.0", "", || Box::new(One(&[FIRST, BROKEN])));

on_both! {
    async fn a_failed_migration_refuses_the_generation_and_what_was_kept_stays(place: Place) {
        let host = Host::builder("1.0.0", Settings::default()).database(Some(place.engine().await)).build();
        let generation = |entry: &'static PluginEntry, number| Generation::new(entry, number, &host).unwrap();
        generation(&GOOD, 1).start(WITHIN).await.unwrap();
        let refused: Arc<Generation> = generation(&BAD, 2);
        let error = refused.start(WITHIN).await.unwrap_err().to_string();
        assert!(error.contains("its migrations failed: 0002_more") && error.contains("nowhere"), "{error}");
        generation(&GOOD, 3).start(WITHIN).await.unwrap();
        let engine = host.database().unwrap();
        let rows = engine.fetch("SELECT generation FROM one_starts ORDER BY generation", Vec::new()).await.unwrap();
        let starts: Vec<u64> = rows.into_iter().map(|row| row.read_first().unwrap()).collect();
        assert_eq!(starts, [1, 3]);
        let body = engine.fetch("SELECT body FROM hotcord_documents WHERE guild = 7", Vec::new()).await.unwrap();
        let body: String = body.into_iter().next().unwrap().read_first().unwrap();
        assert_eq!(body, r#"{"count":2}"#);
    }
}

#[tokio::test]
async fn a_host_without_a_database_says_so() {
    let host = Host::new("1.0.0", Settings::default());
    let error = Generation::new(&GOOD, 1, &host).unwrap().start(WITHIN).await.unwrap_err().to_string();
    assert!(error.contains("this host has no database"), "{error}");
}
