//! Plain SQL and transactions.

use sdk_core::database::{DatabaseError, DatabaseErrorKind, Parameter, Sql};
use sdk_core::params;
use serde::Deserialize;

use crate::place::on_both;

#[derive(Debug, Deserialize, PartialEq)]
struct Case {
    id: i64,
    reason: Option<String>,
    points: f64,
    open: bool,
    proof: Option<Vec<u8>>,
}

#[derive(Debug, Deserialize)]
struct Wrong {
    #[allow(dead_code)]
    reason: u32,
}

const TABLE: &str = "CREATE TABLE cases (id BIGINT PRIMARY KEY, reason TEXT, points DOUBLE PRECISION NOT NULL, \
    open BOOLEAN NOT NULL, proof BYTEA CHECK (id > 0))";

async fn table(place: &crate::place::Place) -> Sql {
    let sql = Sql::new(Some(place.engine().await));
    sql.execute(TABLE, Vec::new()).await.unwrap();
    sql
}

const INSERT: &str = "INSERT INTO cases (id, reason, points, open, proof) VALUES ($1, $2, $3, $4, $5)";

fn kind(error: &sdk_core::Error) -> DatabaseErrorKind {
    error.downcast_ref::<DatabaseError>().unwrap().kind()
}

on_both! {
    async fn every_kind_of_value_comes_back(place: Place) {
        let sql = table(&place).await;
        let changed = sql.execute(INSERT, params![1, "it's \u{1f389}", 1.5, true, vec![0_u8, 255]]).await.unwrap();
        assert_eq!(changed, 1);
        let none: Option<String> = None;
        sql.execute(INSERT, params![2_i64, none, -0.0, false, Parameter::Null]).await.unwrap();
        let cases: Vec<Case> = sql.fetch("SELECT * FROM cases ORDER BY id", Vec::new()).await.unwrap();
        let first = Case {
            id: 1,
            reason: Some("it's \u{1f389}".to_owned()),
            points: 1.5,
            open: true,
            proof: Some(vec![0, 255]),
        };
        assert_eq!(cases, [first, Case { id: 2, reason: None, points: 0.0, open: false, proof: None }]);
        let sum: Option<i64> = sql.fetch_value("SELECT SUM(id) FROM cases", Vec::new()).await.unwrap();
        assert_eq!(sum, Some(3));
        let count: Option<u32> = sql.fetch_value("SELECT COUNT(*) FROM cases WHERE open = $1", params![true]).await.unwrap();
        assert_eq!(count, Some(1));
        let returned: Option<Case> =
            sql.fetch_one("UPDATE cases SET open = $1 WHERE id = $2 RETURNING *", params![false, 1]).await.unwrap();
        assert!(!returned.unwrap().open);
    }

    async fn columns_have_the_order_of_the_statement(place: Place) {
        let sql = table(&place).await;
        sql.execute(INSERT, params![7, "late", 1.5, true, Parameter::Null]).await.unwrap();
        let statement = "SELECT reason, id, points AS average FROM cases";
        let first: Option<String> = sql.fetch_value(statement, Vec::new()).await.unwrap();
        assert_eq!(first.as_deref(), Some("late"));
        let mut transaction = sql.begin().await.unwrap();
        let first: Option<String> = transaction.fetch_value(statement, Vec::new()).await.unwrap();
        assert_eq!(first.as_deref(), Some("late"));
    }

    async fn what_does_not_fit_is_a_sentence_that_names_it(place: Place) {
        let sql = table(&place).await;
        let row = params![1, "a", 1.0, true, Parameter::Null];
        sql.execute(INSERT, row.clone()).await.unwrap();
        assert_eq!(kind(&sql.execute(INSERT, row).await.unwrap_err()), DatabaseErrorKind::Taken);
        let broken = sql.execute(INSERT, params![0, "a", 1.0, true, Parameter::Null]).await.unwrap_err();
        assert_eq!(kind(&broken), DatabaseErrorKind::Constraint);
        let unknown = sql.execute("DELETE FROM nowhere", Vec::new()).await.unwrap_err();
        assert!(unknown.to_string().contains("nowhere"), "{unknown}");
        let error = sql.fetch::<Wrong>("SELECT reason FROM cases", Vec::new()).await.unwrap_err().to_string();
        assert!(error.contains("reason"), "{error}");
    }

    async fn a_transaction_is_whole_or_nothing(place: Place) {
        let sql = table(&place).await;
        let count = async || {
            sql.fetch_value::<i64>("SELECT COUNT(*) FROM cases", Vec::new()).await.unwrap().unwrap()
        };
        let mut dropped = sql.begin().await.unwrap();
        dropped.execute(INSERT, params![1, "a", 1.0, true, Parameter::Null]).await.unwrap();
        let seen: Option<i64> = dropped.fetch_value("SELECT COUNT(*) FROM cases", Vec::new()).await.unwrap();
        assert_eq!(seen, Some(1));
        assert_eq!(count().await, 0);
        drop(dropped);
        let mut kept = sql.begin().await.unwrap();
        kept.execute(INSERT, params![2, "a", 1.0, true, Parameter::Null]).await.unwrap();
        kept.commit().await.unwrap();
        assert_eq!(count().await, 1);
        // After an error inside, the connection serves others.
        for _ in 0..20 {
            let mut failed = sql.begin().await.unwrap();
            failed.execute("DELETE FROM nowhere", Vec::new()).await.unwrap_err();
        }
        assert_eq!(count().await, 1);
    }
}
