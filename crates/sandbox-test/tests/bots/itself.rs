//! The crate itself: the sentences of what fails, and the log of a test that panics.

use std::panic::AssertUnwindSafe;
use std::process::Command;
use std::time::Duration;

use sandbox_test::{PATIENCE, TestSandbox};
use serde_json::{Value, json};

/// Variable of the test that is run to fail.
const FAILING: &str = "SANDBOX_TEST_FAILING";
const SHORT: Duration = Duration::from_millis(50);

/// Returns the message of a panic in a future.
async fn panic_of<T>(doing: impl Future<Output = T>) -> String {
    let mut doing = Box::pin(doing);
    let polled = std::future::poll_fn(|context| {
        let result = std::panic::catch_unwind(AssertUnwindSafe(|| doing.as_mut().poll(context)));
        match result {
            Ok(std::task::Poll::Pending) => std::task::Poll::Pending,
            Ok(std::task::Poll::Ready(_)) => panic!("nothing failed"),
            Err(panic) => std::task::Poll::Ready(panic),
        }
    });
    let panic = polled.await;
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap()
}

async fn rest(sandbox: &TestSandbox, method: reqwest::Method, path: &str, body: Value) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.request(method, format!("{}{path}", sandbox.api_url())).json(&body);
    let request = request.header("authorization", format!("Bot {}", sandbox.token()));
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn what_does_not_come_is_a_sentence_with_the_line_of_the_test() {
    let sandbox = TestSandbox::start().await;
    let alice = sandbox.actor("alice");
    alice.says("anyone?").await;
    let line = line!() + 1;
    let told = panic_of(alice.hears().within(SHORT).into_future()).await;
    assert!(told.starts_with("alice heard no bot in bot-test within 50ms ("), "{told}");
    assert!(told.contains(&format!("itself.rs:{line}:")), "{told}");
    alice.hears_nothing().within(SHORT).await;
    let told = panic_of(alice.runs("/nothing").within(SHORT).into_future()).await;
    assert!(told.contains("/nothing") && told.contains("itself.rs:"), "{told}");
    let told = panic_of(async { sandbox.actor("dave").id() }).await;
    assert_eq!(told, "there is no user dave; make one with new_actor");
}

#[tokio::test]
async fn a_user_is_woken_by_the_message_of_a_bot() {
    let sandbox = TestSandbox::start().await;
    let bob = sandbox.actor("bob");
    let path = format!("/channels/{}/messages", sandbox.channel_id("general").unwrap());
    let sent = rest(&sandbox, reqwest::Method::POST, &path, json!({ "content": "hello" }));
    let (heard, ()) = tokio::join!(bob.hears().at("general").into_future(), sent);
    assert_eq!((heard.content.as_str(), heard.author.as_str(), heard.by_bot), ("hello", "Sandbot", true));
}

#[tokio::test]
async fn a_command_without_an_answer_is_a_panic() {
    let sandbox = TestSandbox::start().await;
    let path = format!("/applications/{}/commands", sandbox.bot_id());
    rest(&sandbox, reqwest::Method::PUT, &path, json!([{ "name": "deaf", "description": "d" }])).await;
    let told = panic_of(sandbox.actor("alice").runs("/deaf").into_future()).await;
    assert!(told.contains("did not respond") && told.contains("is it running?"), "{told}");
}

#[tokio::test]
async fn a_bot_that_ends_fails_the_test_at_once() {
    let sandbox = TestSandbox::start().await;
    let told = panic_of(sandbox.bot(async { Err("no token") })).await;
    assert_eq!(told, "the bot ended: \"no token\"");

    let sandbox = TestSandbox::start().await;
    let mut shell = tokio::process::Command::new("sh");
    shell.args(["-c", "echo my last words; exit 3"]);
    let told = tokio::time::timeout(PATIENCE, panic_of(sandbox.bot_process(shell))).await.unwrap();
    assert!(told.contains("exit status: 3; its output:\nmy last words"), "{told}");
    let told = panic_of(sandbox.bot_process(tokio::process::Command::new("/no/such/program"))).await;
    assert!(told.starts_with("the bot does not start: "), "{told}");
}

#[test]
fn a_test_that_panics_prints_its_log() {
    let this = std::env::current_exe().unwrap();
    let mut run = Command::new(this);
    run.args(["--exact", "itself::the_one_that_fails", "--nocapture"]).env(FAILING, "1");
    let output = run.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{told}");
    assert!(
        told.contains("---- discord sandbox\n") && told.contains("sent {\"content\":\"said by the bot\"}"),
        "{told}"
    );
    assert!(!told.contains("Authorization"), "{told}");
}

/// Fails if [`a_test_that_panics_prints_its_log`] runs it.
#[tokio::test]
async fn the_one_that_fails() {
    let sandbox = TestSandbox::start().await;
    let path = format!("/channels/{}/messages", sandbox.channel_id("general").unwrap());
    rest(&sandbox, reqwest::Method::POST, &path, json!({ "content": "said by the bot" })).await;
    assert!(std::env::var_os(FAILING).is_none(), "as it was asked to");
}
