use std::sync::OnceLock;

use tokio::time::Instant;

use super::*;

/// Returns the time of a wall clock that follows tokio's clock and starts at 1000 s.
fn clock() -> Duration {
    thread_local!(static BEGAN: OnceLock<Instant> = const { OnceLock::new() });
    BEGAN.with(|began| began.get_or_init(Instant::now).elapsed()) + Duration::from_secs(1000)
}

fn kept(scheduler: &Scheduler) -> Vec<Kept> {
    scheduler.0.timers.lock().pending.iter().map(|(key, set)| set.kept(key)).collect()
}

fn scheduler() -> Scheduler {
    Scheduler::with_clock(clock)
}

#[tokio::test(start_paused = true)]
async fn timers_go_off_in_the_order_of_their_times() {
    let scheduler = scheduler();
    let plugin = PluginId::new("commands/one");
    scheduler.set(&plugin, "close", "late", Duration::from_secs(50), Value::Null).unwrap();
    scheduler.set(&plugin, "close", "early", Duration::from_secs(5), Value::Null).unwrap();
    scheduler.set(&plugin, "close", "never", Duration::from_secs(1), Value::Null).unwrap();
    assert!(scheduler.remove(&plugin, "close", "never"));
    assert_eq!(scheduler.next(|_, _| true).await.timer.key, "early");
    assert_eq!(clock().as_secs(), 1005);
    assert_eq!(scheduler.next(|_, _| true).await.timer.key, "late");
    assert_eq!(clock().as_secs(), 1050);
    assert!(scheduler.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_due_timer_waits_for_its_plugin() {
    let scheduler = scheduler();
    scheduler.set(&PluginId::new("commands/one"), "close", "", Duration::ZERO, Value::Null).unwrap();
    let live = std::sync::atomic::AtomicBool::new(false);
    let next = scheduler.next(|_, _| live.load(std::sync::atomic::Ordering::Relaxed));
    tokio::pin!(next);
    assert!(tokio::time::timeout(Duration::from_secs(9), next.as_mut()).await.is_err());
    live.store(true, std::sync::atomic::Ordering::Relaxed);
    scheduler.wake();
    assert_eq!(next.await.timer.name, "close");
}

#[tokio::test(start_paused = true)]
async fn a_kept_timer_goes_off_at_its_own_time_and_one_that_was_missed_at_once() {
    let before = scheduler();
    let plugin = PluginId::new("commands/one");
    before.set(&plugin, "close", "missed", Duration::from_secs(5), Value::from(1)).unwrap();
    before.set(&plugin, "close", "ahead", Duration::from_secs(100), Value::from(2)).unwrap();
    let kept = serde_json::to_string(&kept(&before)).unwrap();
    tokio::time::advance(Duration::from_mins(1)).await;
    let after = scheduler();
    after.restore(serde_json::from_str(&kept).unwrap());
    let missed = after.next(|_, _| true).await.timer;
    assert_eq!((missed.key.as_str(), missed.payload, clock().as_secs()), ("missed", Value::from(1), 1060));
    assert_eq!(after.next(|_, _| true).await.timer.key, "ahead");
    assert_eq!(clock().as_secs(), 1100);
}

#[test]
fn a_plugins_timers_and_their_payloads_are_bounded() {
    let (scheduler, plugin) = (Scheduler::default(), PluginId::new("commands/one"));
    let set = |plugin: &PluginId, key: &str, payload: Value| {
        scheduler.set(plugin, "close", key, Duration::from_secs(9), payload)
    };
    for number in 0..MAX_TIMERS {
        set(&plugin, &number.to_string(), Value::Null).unwrap();
    }
    let refused = set(&plugin, "more", Value::Null).unwrap_err().to_string();
    assert!(refused.contains("commands/one has 5000 timers"), "{refused}");
    // An existing timer is replaced, and other plugins have timers of their own.
    set(&plugin, "7", Value::from(1)).unwrap();
    set(&PluginId::new("commands/two"), "7", Value::Null).unwrap();
    assert!(scheduler.remove(&plugin, "close", "8"));
    set(&plugin, "more", Value::Null).unwrap();
    // The key and two quotes count too.
    set(&plugin, "7", "x".repeat(MAX_PAYLOAD - 3).into()).unwrap();
    assert!(set(&plugin, "7", "x".repeat(MAX_PAYLOAD - 2).into()).is_err());
}

#[test]
fn a_timer_that_is_put_back_does_not_replace_a_newer_one() {
    let scheduler = scheduler();
    let plugin = PluginId::new("commands/one");
    let timer = Timer {
        plugin: plugin.clone(),
        name: "a".to_owned(),
        key: String::new(),
        payload: Value::from(1),
        interrupted: false,
        id: 1,
    };
    scheduler.requeue(timer.clone());
    assert_eq!(scheduler.len(), 1);
    scheduler.set(&plugin, "a", "", Duration::from_secs(1), Value::from(2)).unwrap();
    scheduler.requeue(timer);
    assert_eq!(kept(&scheduler)[0].payload, Value::from(2));
}

#[tokio::test(start_paused = true)]
async fn a_timer_runs_when_it_is_claimed_and_is_written_before_that() {
    let scheduler = scheduler();
    scheduler.keep();
    let plugin = PluginId::new("commands/one");
    let number = scheduler.set(&plugin, "close", "", Duration::ZERO, Value::Null).unwrap();
    // It is due before it was written, so the claim brings it along.
    let due = scheduler.next(|_, _| true).await;
    let batch = scheduler.take();
    assert!(batch.set.is_empty() && batch.removed.is_empty() && batch.claims[0].is_new);
    scheduler.give_back(batch);
    scheduler.written(number).await;
    let mut batch = scheduler.take();
    assert!(batch.claims[0].is_new && batch.removed.is_empty());
    scheduler.wrote(&batch);
    batch.claims.remove(0).reply(true);
    let timer = due.claimed().await.unwrap();
    scheduler.finish(timer);
    assert_eq!(scheduler.take().finished.len(), 1);
    assert!(scheduler.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_becomes_due_while_it_is_being_written_is_not_lost() {
    let scheduler = scheduler();
    scheduler.keep();
    let plugin = PluginId::new("commands/one");
    scheduler.set(&plugin, "close", "", Duration::from_secs(1), Value::Null).unwrap();
    let batch = scheduler.take();
    assert_eq!(batch.set.len(), 1);
    let due = scheduler.next(|_, _| true).await;
    scheduler.give_back(batch);
    let mut batch = scheduler.take();
    assert!(batch.claims[0].is_new && batch.removed.is_empty());
    // The database has given it to another process.
    batch.claims.remove(0).reply(false);
    assert!(due.claimed().await.is_none());
    // One that was set and taken back leaves no row.
    scheduler.set(&plugin, "close", "", Duration::from_secs(1), Value::Null).unwrap();
    drop(scheduler.take());
    assert!(scheduler.remove(&plugin, "close", ""));
    assert_eq!(scheduler.take().removed.len(), 1);
}
