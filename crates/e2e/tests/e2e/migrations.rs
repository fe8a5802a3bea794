//! Migrations of a plugin that is reloaded: they are applied before it goes live, or it does not go live.

use e2e::test_host::TestHost;

const PLUGIN: &str = "commands/moderation";
const SOURCE: &str = "commands/moderation/src/lib.rs";
const NEW: &str = "commands/moderation/migrations/0003_notes.sql";
const APPLIED: &str = "commands/moderation/migrations/0002_locks.sql";

/// Saves a file and returns the line about what became of the plugin.
async fn saved(host: &mut TestHost, file: &str, text: &str) -> String {
    let lines = host.bot.line_count();
    host.playground.save(file, text).unwrap();
    host.bot.decided(lines, PLUGIN).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_fails_or_was_edited_leaves_the_old_code_and_the_data() {
    let mut host = TestHost::new(&[]).await;
    let warned = host.say("/warn user:@carol reason:before").await.content;
    assert!(warned.ends_with("(case 1)."), "{warned}");

    // The first statement would succeed.
    host.playground
        .save(NEW, "CREATE TABLE moderation_notes (id BIGINT);\nINSERT INTO nowhere VALUES (1);\n")
        .unwrap();
    let source = host.playground.read(SOURCE).unwrap();
    let newer = source.replace("\"0002_locks\"]", "\"0002_locks\", \"0003_notes\"]");
    assert_ne!(source, newer);
    let line = saved(&mut host, SOURCE, &newer).await;
    assert!(line.contains("its migrations failed: 0003_notes") && line.contains("nowhere"), "{line}");
    assert!(!line.contains("loaded plugin="), "{line}");
    let warned = host.say("/warn user:@carol reason:meanwhile").await.content;
    assert!(warned.ends_with("(case 2)."), "the old code is live: {warned}");

    // Nothing of it was kept, so the corrected one can make the table.
    let line = saved(&mut host, NEW, "CREATE TABLE moderation_notes (id BIGINT);\n").await;
    assert!(line.contains("loaded plugin="), "{line}");

    let applied = host.playground.read(APPLIED).unwrap();
    let line = saved(&mut host, APPLIED, &format!("{applied}-- edited\n")).await;
    assert!(line.contains("0002_locks") && !line.contains("loaded plugin="), "{line}");
    let lines = host.bot.line_count();
    host.playground.save(APPLIED, &applied).unwrap();
    host.bot.wait_for_line(lines, "no change in the code plugin=commands/moderation ").await.unwrap();
    let warned = host.say("/warn user:@carol reason:after").await.content;
    assert!(warned.ends_with("(case 3)."), "{warned}");
}
