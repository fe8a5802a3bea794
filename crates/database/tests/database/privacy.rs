//! What is kept about users and guilds: exported, erased, and forgotten when the bot has left.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sdk_core::checkpoint::Checkpoint;
use sdk_core::database::{Document, Migration, PersonalData};
use sdk_core::generation::Generation;
use sdk_core::handover::{self, HandoverPolicy};
use sdk_core::host::Host;
use sdk_core::privacy::Subject;
use sdk_core::registry::Change;
use sdk_core::settings::Settings;
use sdk_core::{Data, Error, Plugin, PluginEntry, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serenity::all::{GuildId, UserId};
use serenity::async_trait;

use crate::place::on_both;

const PATIENCE: Duration = Duration::from_mins(1);
const ADA: UserId = UserId::new(1);
const BOB: UserId = UserId::new(2);
const HERE: GuildId = GuildId::new(7);
const THERE: GuildId = GuildId::new(8);

#[derive(Default, Serialize, Deserialize)]
struct Points {
    points: u32,
}

impl Document for Points {
    const NAME: &'static str = "points";
}

/// Has a table, and hands its data to the test.
struct Cases(&'static Mutex<Option<Data>>);

#[async_trait]
impl Plugin for Cases {
    fn migrations(&self) -> &'static [Migration] {
        &[Migration {
            name: "0001_cases",
            sql: "CREATE TABLE cases (guild BIGINT NOT NULL, user_id BIGINT NOT NULL, reason TEXT NOT NULL)",
        }]
    }

    fn personal_data(&self) -> &'static [PersonalData] {
        const CASES: PersonalData = PersonalData {
            export_user: Some("SELECT guild, reason FROM cases WHERE user_id = $1"),
            erase_user: Some("DELETE FROM cases WHERE user_id = $1"),
            export_guild: Some("SELECT user_id, reason FROM cases WHERE guild = $1"),
            erase_guild: Some("DELETE FROM cases WHERE guild = $1"),
            guilds: Some("SELECT DISTINCT guild FROM cases"),
            ..PersonalData::named("cases")
        };
        &[CASES]
    }

    async fn start(&self, data: &Data) -> Result<(), Error> {
        *self.0.lock().unwrap() = Some(data.clone());
        Ok(())
    }
}

/// Returns a host with the plugin, which has kept something about everybody everywhere.
async fn filled(place: &crate::place::Place) -> (Host, Data) {
    static HANDED: Mutex<Option<Data>> = Mutex::new(None);
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    static ENTRY: PluginEntry = PluginEntry::new("commands-cases", "1.0.0", "", || Box::new(Cases(&HANDED)));
    let _turn = TURN.lock().await;
    let host = Host::builder("1.0.0", Settings::default()).database(Some(place.engine().await)).build();
    Checkpoint::open(&host, None, 77).await.unwrap();
    let generation: Arc<Generation> = Generation::new(&ENTRY, 1, &host).unwrap();
    generation.start(PATIENCE).await.unwrap();
    let data = HANDED.lock().unwrap().take().unwrap();
    let change = Change { install: vec![generation], remove: Vec::new() };
    handover::swap(&host, change, HandoverPolicy::default()).await.ok().unwrap();
    for user in [ADA, BOB] {
        data.user::<Points>(user).set(&Points { points: 1 }).await.unwrap();
        for guild in [HERE, THERE] {
            data.member::<Points>(guild, user).set(&Points { points: 2 }).await.unwrap();
            let insert = "INSERT INTO cases VALUES ($1, $2, 'spam')";
            data.sql().execute(insert, params![guild, user]).await.unwrap();
        }
    }
    for guild in [HERE, THERE] {
        data.guild::<Points>(guild).set(&Points { points: 3 }).await.unwrap();
    }
    (host, data)
}

on_both! {
    async fn a_user_gets_everything_and_then_nothing_is_left(place: Place) {
        let (host, data) = filled(&place).await;
        let exported = data.export_personal_data(Subject::User(ADA)).await.unwrap();
        assert_eq!(exported["about"], json!({ "user": "1" }));
        let document = |guild: Option<&str>, points: u32| json!({
            "plugin": "commands/cases", "kind": "points", "guild": guild, "user": "1", "value": { "points": points },
        });
        assert_eq!(
            exported["documents"],
            json!([document(None, 1), document(Some("7"), 2), document(Some("8"), 2)])
        );
        let cases = exported["tables"]["commands/cases"]["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 2);
        assert_eq!(cases[0]["reason"], "spam");

        assert_eq!(data.erase_personal_data(Subject::User(ADA)).await.unwrap(), 5);
        let exported = data.export_personal_data(Subject::User(ADA)).await.unwrap();
        assert_eq!((&exported["documents"], &exported["tables"]["commands/cases"]["cases"]), (&json!([]), &json!([])));
        // Not in memory either, and a new document begins anew.
        assert!(data.user::<Points>(ADA).find().await.unwrap().is_none());
        data.user::<Points>(ADA).update(|points| points.points += 5).await.unwrap();
        assert_eq!(data.user::<Points>(ADA).get().await.unwrap().points, 5);
        assert_eq!(data.user::<Points>(BOB).get().await.unwrap().points, 1);
        assert_eq!(data.guild::<Points>(HERE).get().await.unwrap().points, 3);
        drop(host);
    }

    async fn a_guild_is_erased_with_its_members(place: Place) {
        let (_host, data) = filled(&place).await;
        let exported = data.export_personal_data(Subject::Guild(HERE)).await.unwrap();
        assert_eq!(exported["documents"].as_array().unwrap().len(), 3);
        assert_eq!(data.erase_personal_data(Subject::Guild(HERE)).await.unwrap(), 5);
        assert!(data.member::<Points>(HERE, ADA).find().await.unwrap().is_none());
        assert!(data.member::<Points>(THERE, ADA).find().await.unwrap().is_some());
        assert!(data.user::<Points>(ADA).find().await.unwrap().is_some());
    }

    async fn guilds_that_the_bot_has_left_are_erased_in_time(place: Place) {
        let (host, data) = filled(&place).await;
        let both = BTreeSet::from([HERE, THERE]);
        let only = BTreeSet::from([HERE]);
        let month = Duration::from_hours(24 * 30);
        assert_eq!(host.erase_left_guilds(&both, Some(Duration::ZERO)).await.unwrap(), (0, 0));
        // It is noted, and kept for now.
        assert_eq!(host.erase_left_guilds(&only, Some(month)).await.unwrap(), (0, 0));
        let noted = "SELECT COUNT(*) FROM hotcord_left_guilds";
        assert_eq!(data.sql().fetch_value::<u64>(noted, Vec::new()).await.unwrap(), Some(1));
        // A bot that is back keeps everything.
        assert_eq!(host.erase_left_guilds(&both, None).await.unwrap(), (0, 0));
        assert_eq!(data.sql().fetch_value::<u64>(noted, Vec::new()).await.unwrap(), Some(0));
        host.erase_left_guilds(&only, Some(month)).await.unwrap();
        let past = "UPDATE hotcord_left_guilds SET left_ms = left_ms - $1";
        data.sql().execute(past, params![30_i64 * 24 * 3600 * 1000]).await.unwrap();
        assert_eq!(host.erase_left_guilds(&only, Some(month)).await.unwrap(), (1, 5));
        assert!(data.guild::<Points>(THERE).find().await.unwrap().is_none());
        assert!(data.guild::<Points>(HERE).find().await.unwrap().is_some());
        assert_eq!(data.sql().fetch_value::<u64>(noted, Vec::new()).await.unwrap(), Some(0));
    }
}
