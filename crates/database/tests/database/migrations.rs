//! Migrations of plugins.

use sdk_core::PluginId;
use sdk_core::database::{DatabaseErrorKind, Migrated, Migration};

use crate::place::on_both;

const ONE: Migration = Migration {
    name: "0001_cases",
    sql: "CREATE TABLE one_cases (id BIGINT); INSERT INTO one_cases VALUES (1);",
};
const TWO: Migration =
    Migration { name: "0002_points", sql: "ALTER TABLE one_cases ADD COLUMN points BIGINT" };
const BROKEN: Migration = Migration {
    name: "0002_points",
    sql: "CREATE TABLE one_more (id BIGINT); ALTER TABLE nowhere ADD COLUMN a BIGINT",
};

fn plugin() -> PluginId {
    PluginId::new("commands/one")
}

fn applied(names: &[&str]) -> Migrated {
    Migrated { applied: names.iter().map(ToString::to_string).collect(), unknown: Vec::new() }
}

on_both! {
    async fn they_run_once_in_order(place: Place) {
        let engine = place.engine().await;
        assert_eq!(engine.migrate(&plugin(), &[ONE]).await.unwrap(), applied(&["0001_cases"]));
        assert_eq!(engine.migrate(&plugin(), &[ONE]).await.unwrap(), applied(&[]));
        assert_eq!(engine.migrate(&plugin(), &[ONE, TWO]).await.unwrap(), applied(&["0002_points"]));
        engine.fetch("SELECT id, points FROM one_cases", Vec::new()).await.unwrap();
        // Older code of the plugin: its data is newer.
        let unknown = engine.migrate(&plugin(), &[ONE]).await.unwrap().unknown;
        assert_eq!(unknown, ["0002_points"]);
    }

    async fn one_that_fails_changes_nothing_and_says_why(place: Place) {
        let engine = place.engine().await;
        let error = engine.migrate(&plugin(), &[ONE, BROKEN]).await.unwrap_err();
        assert!(error.to_string().contains("0002_points") && error.to_string().contains("nowhere"), "{error}");
        for table in ["one_cases", "one_more"] {
            engine.fetch(&format!("SELECT * FROM {table}"), Vec::new()).await.unwrap_err();
        }
        assert_eq!(engine.migrate(&plugin(), &[ONE, TWO]).await.unwrap(), applied(&["0001_cases", "0002_points"]));
    }

    async fn what_was_applied_is_not_edited_nor_overtaken(place: Place) {
        let engine = place.engine().await;
        engine.migrate(&plugin(), &[ONE, TWO]).await.unwrap();
        for (migrations, word) in [
            (vec![Migration { sql: "SELECT 1", ..ONE }, TWO], "edited"),
            (vec![ONE, Migration { name: "0001_more", ..ONE }, TWO], "comes before"),
            (vec![TWO, ONE], "order"),
            (vec![ONE, ONE], "once each"),
            (vec![ONE, TWO, Migration { name: "0003", sql: "COMMIT" }], "COMMIT"),
        ] {
            let error = engine.migrate(&plugin(), &migrations).await.unwrap_err();
            assert_eq!(error.kind(), DatabaseErrorKind::Refused);
            assert!(error.to_string().contains(word), "{error}");
        }
        // Another plugin's are its own.
        let other = PluginId::new("commands/other");
        let its = Migration { name: "0001_cases", sql: "CREATE TABLE other_cases (id BIGINT)" };
        assert_eq!(engine.migrate(&other, &[its]).await.unwrap(), applied(&["0001_cases"]));
    }

    async fn several_hosts_that_start_at_once_run_them_once(place: Place) {
        let engines = if place.folder.is_some() {
            // A file has one process, but several generations may start side by side.
            let engine = place.engine().await;
            vec![engine.clone(), engine]
        } else {
            vec![place.engine().await, place.engine().await]
        };
        let tasks = engines.into_iter().map(|engine| {
            tokio::spawn(async move { engine.migrate(&plugin(), &[ONE, TWO]).await.unwrap().applied.len() })
        });
        let mut total = 0;
        for task in tasks.collect::<Vec<_>>() {
            total += task.await.unwrap();
        }
        assert_eq!(total, 2);
    }
}
