//! Typed documents.

use std::sync::Arc;

use sdk_core::database::{Document, Documents, MAX_DOCUMENT};
use sdk_core::database::{Engine, Scope};
use sdk_core::{Error, PluginId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serenity::all::{GuildId, UserId};

use crate::place::on_both;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Settings {
    greeting: String,
    count: u64,
}

impl Document for Settings {
    const NAME: &'static str = "settings";
}

/// The same document in a later version of the code.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Newer {
    hello: String,
}

impl Document for Newer {
    const NAME: &'static str = "settings";
    const VERSION: u32 = 2;

    fn migrate(from_version: u32, value: Value) -> Result<Self, Error> {
        assert_eq!(from_version, 1);
        Ok(Self { hello: serde_json::from_value::<Settings>(value)?.greeting })
    }
}

fn of<T: Document>(engine: &Arc<dyn Engine>, scope: Scope) -> Documents<T> {
    Documents::new(Some(engine.clone()), PluginId::new("commands/one"), scope)
}

const GUILD: Scope = Scope::Guild(GuildId::new(7));

fn settings(greeting: &str, count: u64) -> Settings {
    Settings { greeting: greeting.to_owned(), count }
}

on_both! {
    async fn what_was_written_is_there_also_for_another_process(place: Place) {
        let (user, member) = (Scope::User(UserId::new(7)), Scope::Member(GuildId::new(7), UserId::new(7)));
        let engine = place.open().await;
        {
            let engine: Arc<dyn Engine> = engine.clone();
            assert_eq!(of::<Settings>(&engine, GUILD).get().await.unwrap(), Settings::default());
            assert_eq!(of::<Settings>(&engine, GUILD).find().await.unwrap(), None);
            for (scope, count) in [(Scope::Global, 1), (GUILD, 2), (user, 3), (member, 4)] {
                of(&engine, scope).set(&settings("Ada's \0 'quotes' \u{1f389}", count)).await.unwrap();
            }
        }
        engine.close().await;
        drop(engine);
        let engine = place.engine().await;
        for (scope, count) in [(Scope::Global, 1), (GUILD, 2), (user, 3), (member, 4)] {
            let found = of::<Settings>(&engine, scope).get().await.unwrap();
            assert_eq!(found, settings("Ada's \0 'quotes' \u{1f389}", count));
        }
        assert!(of::<Settings>(&engine, GUILD).delete().await.unwrap());
        assert!(!of::<Settings>(&engine, GUILD).delete().await.unwrap());
        assert_eq!(of::<Settings>(&engine, GUILD).find().await.unwrap(), None);
        of(&engine, GUILD).set(&settings("again", 1)).await.unwrap();
        assert_eq!(of::<Settings>(&engine, GUILD).get().await.unwrap().greeting, "again");
    }

    async fn no_change_of_many_at_once_is_lost(place: Place) {
        let engine = place.engine().await;
        let tasks = (0..8).map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move {
                for _ in 0..25 {
                    of::<Settings>(&engine, GUILD).update(|settings| settings.count += 1).await.unwrap();
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!(of::<Settings>(&engine, GUILD).get().await.unwrap().count, 200);
    }

    async fn a_document_of_an_older_version_is_migrated_and_a_newer_one_refused(place: Place) {
        let engine = place.engine().await;
        of(&engine, GUILD).set(&settings("hi", 1)).await.unwrap();
        assert_eq!(of::<Newer>(&engine, GUILD).get().await.unwrap(), Newer { hello: "hi".to_owned() });
        of(&engine, GUILD).set(&Newer { hello: "new".to_owned() }).await.unwrap();
        let error = of::<Settings>(&engine, GUILD).get().await.unwrap_err().to_string();
        assert!(error.contains("'settings' of commands/one for guild 7") && error.contains("version 2"), "{error}");
    }

    async fn one_that_is_too_large_leaves_the_old_one(place: Place) {
        let engine = place.engine().await;
        of(&engine, GUILD).set(&settings("small", 1)).await.unwrap();
        let error = of(&engine, GUILD).set(&settings(&"x".repeat(MAX_DOCUMENT), 2)).await.unwrap_err().to_string();
        assert!(error.contains("settings") && error.contains("1048576"), "{error}");
        assert_eq!(of::<Settings>(&engine, GUILD).get().await.unwrap(), settings("small", 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_a_server_lose_no_change_and_see_each_others() {
    let Some(place) = crate::place::Place::server() else { return };
    let (one, other) = (place.engine().await, place.engine().await);
    let tasks = [&one, &other].map(|engine| {
        let engine = engine.clone();
        tokio::spawn(async move {
            for _ in 0..50 {
                of::<Settings>(&engine, GUILD).update(|settings| settings.count += 1).await.unwrap();
            }
        })
    });
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(of::<Settings>(&one, GUILD).get().await.unwrap().count, 100);
    // A change becomes visible in the other process without anybody asking the database.
    of(&one, GUILD).set(&settings("told", 7)).await.unwrap();
    let seen = async {
        while of::<Settings>(&other, GUILD).get().await.unwrap().count != 7 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), seen).await.unwrap();
}
