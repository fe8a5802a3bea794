//! What servers set: it outlives reloads and restarts, and reaches other processes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sdk_core::database::Engine;
use sdk_core::generation::Generation;
use sdk_core::host::{Host, ServerAdmin};
use sdk_core::privacy::Subject;
use sdk_core::registry::Change;
use sdk_core::server::{Server, ServerSetting, SettingDeclaration};
use sdk_core::settings::Settings;
use sdk_core::{Data, Error, Plugin, PluginEntry};
use serde_json::{Value, json};
use serenity::all::{ChannelId, GuildId};
use serenity::async_trait;

use crate::place::{Place, Server as Postgres, on_both};

const WITHIN: Duration = Duration::from_secs(20);
const GUILD: GuildId = GuildId::new(7);
const OTHER: GuildId = GuildId::new(8);

const LIMIT: ServerSetting<i64> = ServerSetting::integer("limit", "How many", 1..=100, 10);
const FEWER: ServerSetting<i64> = ServerSetting::integer("limit", "How many", 1..=20, 5);
const STYLE: ServerSetting<&'static str> = ServerSetting::choice("style", "How", &["short", "long"], "short");
const PAUSE: ServerSetting<Duration> = ServerSetting::duration(
    "pause",
    "How long",
    Duration::ZERO..=Duration::from_hours(1),
    Duration::from_secs(90),
);
const WHERE: ServerSetting<Option<ChannelId>> =
    ServerSetting::channel("where", "Where").or_variable("WHERE_ID");

/// A plugin with settings. It keeps its handle to the host for the test, whose name is the bot's version.
struct One(Vec<SettingDeclaration>);

static HANDLES: Mutex<Vec<Data>> = Mutex::new(Vec::new());

#[async_trait]
impl Plugin for One {
    fn server_settings(&self) -> Vec<SettingDeclaration> {
        self.0.clone()
    }

    async fn start(&self, data: &Data) -> Result<(), Error> {
        HANDLES.lock().unwrap().push(data.clone());
        Ok(())
    }
}

fn all() -> Box<dyn Plugin> {
    Box::new(One(vec![LIMIT.declaration(), STYLE.declaration(), PAUSE.declaration(), WHERE.declaration()]))
}

static FIRST: PluginEntry = PluginEntry::new("commands-one", "1.0.0", "", all);
static CHANGED: PluginEntry = PluginEntry::new("commands-one", "1.0.0", "", || {
    Box::new(One(vec![FEWER.declaration(), PAUSE.declaration()]))
});

fn host(name: &str, engine: Arc<dyn Engine>) -> Host {
    Host::builder(name, Settings::default()).database(Some(engine)).build()
}

/// Makes a generation live. Returns its handle to the host.
async fn live(host: &Host, entry: &'static PluginEntry, number: u64) -> Data {
    let generation = Generation::new(entry, number, host).unwrap();
    generation.start(WITHIN).await.unwrap();
    host.registry().swap(Change { install: vec![generation], remove: Vec::new() }).unwrap();
    let handles = HANDLES.lock().unwrap();
    let is_it = |data: &&Data| data.version() == host.version() && data.generation() == number;
    handles.iter().find(is_it).unwrap().clone()
}

async fn set(admin: &ServerAdmin, name: &str, value: &str) -> Result<String, String> {
    let setting = admin.setting(name).map_err(|error| error.to_string())?;
    admin.set(&setting, value).await.map(|value| value.to_string()).map_err(|error| error.to_string())
}

async fn body(engine: &dyn Engine) -> Value {
    let sql = "SELECT body FROM hotcord_documents WHERE kind = 'hotcord_settings' AND guild = 7";
    let rows = engine.fetch(sql, Vec::new()).await.unwrap();
    let text: String = rows.into_iter().next().unwrap().read_first().unwrap();
    serde_json::from_str(&text).unwrap()
}

async fn until(condition: impl AsyncFn() -> bool) {
    let seen = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(WITHIN, seen).await.unwrap();
}

on_both! {
    async fn a_reload_with_other_declarations_counts_at_once_and_loses_nothing(place: Place) {
        let engine = place.engine().await;
        let name = format!("reload on {}", place.folder.is_some());
        let host = host(&name, engine.clone());
        let data = live(&host, &FIRST, 1).await;
        let admin = data.server_admin(GUILD);
        assert_eq!(set(&admin, "one.limit", "50").await.as_deref(), Ok("50"));
        assert_eq!(set(&admin, "ONE.style", "LONG").await.as_deref(), Ok("long"));
        assert_eq!(set(&admin, "commands/one.pause", "1h").await.as_deref(), Ok("1h"));
        let server = data.server(GUILD);
        assert_eq!(server.get(LIMIT).await.unwrap(), 50);
        assert_eq!(server.get(STYLE).await.unwrap(), "long");
        assert_eq!(server.get(PAUSE).await.unwrap(), Duration::from_hours(1));
        assert_eq!(data.server(OTHER).get(LIMIT).await.unwrap(), 10);
        assert_eq!(set(&admin, "one.limit", "101").await.unwrap_err(),
            "`one.limit` has to be a whole number from 1 to 100, not `101`.");

        let data = live(&host, &CHANGED, 2).await;
        assert_eq!(data.server(GUILD).get(FEWER).await.unwrap(), 5);
        assert_eq!(data.server(GUILD).get(PAUSE).await.unwrap(), Duration::from_hours(1));
        let admin = data.server_admin(GUILD);
        let names: Vec<_> = admin.settings().into_iter().map(|setting| setting.name).collect();
        assert_eq!(names, ["one.limit", "one.pause"]);
        assert!(set(&admin, "one.limit", "50").await.unwrap_err().contains("from 1 to 20"));
        assert!(set(&admin, "one.style", "long").await.unwrap_err().contains("no setting `one.style`"));
        assert_eq!(body(&*engine).await, json!({ "limit": 50, "style": "long", "pause": 3600 }));

        let data = live(&host, &FIRST, 3).await;
        assert_eq!(data.server(GUILD).get(LIMIT).await.unwrap(), 50);
        assert_eq!(data.server(GUILD).get(STYLE).await.unwrap(), "long");
        let admin = data.server_admin(GUILD);
        assert!(admin.reset(&admin.setting("one.limit").unwrap()).await.unwrap());
        assert!(!admin.reset(&admin.setting("one.limit").unwrap()).await.unwrap());
        assert_eq!(data.server(GUILD).get(LIMIT).await.unwrap(), 10);
        assert_eq!(body(&*engine).await, json!({ "style": "long", "pause": 3600 }));
    }

    async fn rules_are_loaded_before_anything_asks_for_them(place: Place) {
        let name = format!("rules on {}", place.folder.is_some());
        let engine = place.open().await;
        let first = host(&name, engine.clone());
        let data = live(&first, &FIRST, 1).await;
        assert!(data.server(GUILD).is_on());
        assert!(data.server_admin(GUILD).switch("commands/one", false).await.unwrap().1);
        assert!(!data.server(GUILD).is_on() && data.server(OTHER).is_on());
        engine.close().await;
        drop((data, first, engine));
        HANDLES.lock().unwrap().retain(|data| data.version() != name);

        let again = host(&name, place.engine().await);
        let data = live(&again, &FIRST, 2).await;
        assert!(data.server(GUILD).is_on());
        again.servers().watch_rules().load().await;
        assert!(!data.server(GUILD).is_on() && data.server(OTHER).is_on());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_one_process_counts_in_the_others() {
    let Some(place) = Place::server() else { return };
    let (one, other) = (host("one", place.engine().await), host("other", place.engine().await));
    let (data, seen) = (live(&one, &FIRST, 1).await, live(&other, &FIRST, 1).await);
    let mut rules = other.servers().watch_rules();
    rules.load().await;
    let follow = tokio::spawn(rules.follow());
    let (server, admin): (Server, _) = (seen.server(GUILD), data.server_admin(GUILD));
    assert_eq!(server.get(LIMIT).await.unwrap(), 10);
    set(&admin, "one.limit", "50").await.unwrap();
    until(async || server.get(LIMIT).await.unwrap() == 50).await;
    admin.switch("commands/one", false).await.unwrap();
    until(async || !server.is_on()).await;
    assert_eq!(seen.server_admin(GUILD).switched_off(), admin.switched_off());
    admin.switch("commands/one", true).await.unwrap();
    until(async || server.is_on()).await;
    follow.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_server_has_no_rules_and_can_set_new_ones_in_all_processes() {
    for place in [Some(Place::file()), Place::server()].into_iter().flatten() {
        let (engine, name) = (place.engine().await, format!("erases on {}", place.folder.is_some()));
        let one = host(&name, engine.clone());
        let data = live(&one, &FIRST, 1).await;
        let other = if place.address.is_shared() { place.engine().await } else { engine };
        let other = host(&format!("{name}, the other"), other);
        let seen = live(&other, &FIRST, 1).await;
        let follow = tokio::spawn(other.servers().watch_rules().follow());
        let admin = data.server_admin(GUILD);
        for on in [false, true, false] {
            admin.switch("commands/one", on).await.unwrap();
        }
        if place.address.is_shared() {
            until(async || !seen.server(GUILD).is_on()).await;
        }
        data.erase_personal_data(Subject::Guild(GUILD)).await.unwrap();
        assert!(data.server(GUILD).is_on());
        if place.address.is_shared() {
            until(async || seen.server(GUILD).is_on()).await;
        }
        assert!(admin.switch("commands/one", false).await.unwrap().1);
        assert!(!data.server(GUILD).is_on());
        if place.address.is_shared() {
            until(async || !seen.server(GUILD).is_on()).await;
        }
        follow.abort();
    }
}

/// A server's rules are what was known last while the database is away, and what is there when it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_while_the_connection_was_lost_is_read_again() {
    let Some(postgres) = Postgres::start().unwrap() else { return };
    let address: database::DatabaseAddress = postgres.database("rules").parse().unwrap();
    let open = async || Arc::new(database::Database::open(address.clone()).await.unwrap()) as Arc<dyn Engine>;
    let (one, other) = (host("writes", open().await), host("reads", open().await));
    let (data, seen) = (live(&one, &FIRST, 1).await, live(&other, &FIRST, 1).await);
    let follow = tokio::spawn(other.servers().watch_rules().follow());
    data.server_admin(GUILD).switch("commands/one", false).await.unwrap();
    until(async || !seen.server(GUILD).is_on()).await;
    postgres.crash();
    assert!(!seen.server(GUILD).is_on() && seen.server(OTHER).is_on());
    postgres.launch();
    until(async || data.server_admin(OTHER).switch("commands/one", false).await.is_ok()).await;
    until(async || !seen.server(OTHER).is_on()).await;
    assert!(!seen.server(GUILD).is_on());
    follow.abort();
}

#[tokio::test]
async fn without_a_database_defaults_count_and_nothing_can_be_set() {
    let settings =
        Settings { variables: [("WHERE_ID".to_owned(), "77".to_owned())].into(), ..Settings::default() };
    let host = Host::new("none", settings);
    let data = live(&host, &FIRST, 1).await;
    host.servers().watch_rules().follow().await;
    assert_eq!(data.server(GUILD).get(WHERE).await.unwrap(), Some(ChannelId::new(77)));
    assert_eq!(data.server(GUILD).get(PAUSE).await.unwrap(), Duration::from_secs(90));
    assert!(data.server(GUILD).is_on());
    let admin = data.server_admin(GUILD);
    assert!(set(&admin, "one.limit", "5").await.unwrap_err().contains("no database"));
    let refused = admin.switch("commands/one", false).await.unwrap_err().to_string();
    assert!(refused.contains("no database"), "{refused}");
    assert!(set(&admin, "one.where", "5").await.unwrap_err().contains("not known well enough"));
    host.set_settings(Settings {
        variables: [("WHERE_ID".to_owned(), "#a".to_owned())].into(),
        ..Settings::default()
    });
    let error = data.server(GUILD).get(WHERE).await.unwrap_err().to_string();
    assert_eq!(error, "WHERE_ID has to be the id of a channel, such as 1120000000000000000, not '#a'");
}

#[tokio::test]
async fn reading_does_not_create_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bot.db");
    let engine = Arc::new(database::Database::lazy(database::DatabaseAddress::file(&file)));
    let host = host("missing", engine);
    host.servers().watch_rules().load().await;
    let data = live(&host, &FIRST, 1).await;
    assert_eq!(data.server(GUILD).get(LIMIT).await.unwrap(), 10);
    assert!(!file.exists());
    set(&data.server_admin(GUILD), "one.limit", "5").await.unwrap();
    assert!(file.exists());
    assert_eq!(data.server(GUILD).get(LIMIT).await.unwrap(), 5);
}
