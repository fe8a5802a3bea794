//! The fault matrix in its short form: all rows that need no second compiler and no long wait.

use e2e::faults::{Group, ROWS, Stage, trial, voice};

/// Runs the rows of a group on one host, except those left out.
async fn try_all(group: Group, left_out: &[&str]) {
    let known = |name: &&str| ROWS.iter().any(|row| row.name == *name);
    assert!(left_out.iter().all(known), "{left_out:?} names a row that is not there");
    let mut stage = Stage::new().await.unwrap();
    let mut wrong = Vec::new();
    for row in ROWS.iter().filter(|row| row.group == group && !left_out.contains(&row.name)) {
        let outcome = trial::run(row, &mut stage).await.unwrap();
        println!("{}", outcome.to_line());
        if !outcome.wrong.is_empty() {
            wrong.push(outcome.to_line());
        }
    }
    stage.end().await.unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_code_leaves_the_old_code_answering_or_fails_alone() {
    // Rows that are similar to others, or take long.
    let left_out = [
        "type of a shared crate changed under its users",
        "panic in commands()",
        "panic in subscriptions()",
        "endless loop while loading",
        "abort while loading",
        "a command's name that Discord does not take",
        "wrong export",
    ];
    try_all(Group::Code, &left_out).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_library_that_is_not_the_one_built_is_refused() {
    try_all(Group::Library, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_lacks_something_keeps_the_old_code() {
    try_all(Group::Machine, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_out_of_order_loses_nothing() {
    try_all(Group::Discord, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_a_call_ends_as_the_table_says() {
    // One row of each kind, and the quick ones.
    let tried = [
        "voice closed: 4006 session invalid",
        "voice closed: 4015 server crashed",
        "voice closed: 4022 call ended",
        "voice region changed: endpoint null, then new",
        "bot moved by a moderator",
        "bot disconnected by a moderator",
    ];
    let rows: Vec<_> = voice::ROWS.iter().filter(|row| tried.contains(&row.name)).collect();
    assert_eq!(rows.len(), tried.len(), "a row is not there");
    let mut stage = voice::Stage::new().await.unwrap();
    let mut wrong = Vec::new();
    for row in rows {
        let outcome = voice::run(row, &mut stage).await.unwrap();
        println!("{}", outcome.to_line());
        if !outcome.wrong.is_empty() {
            wrong.push(outcome.to_line());
        }
    }
    stage.end().await.unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
