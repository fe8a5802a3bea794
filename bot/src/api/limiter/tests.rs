use std::pin::pin;

use futures_util::FutureExt as _;
use hyper::Method;

use super::*;

fn route(channel: u32) -> Arc<Route> {
    Arc::new(Route::parse(&Method::POST, &format!("/api/v10/channels/{channel}/messages")))
}

fn standing(remaining: u32, reset_after: Duration) -> Standing {
    Standing { bucket: "messages".to_owned(), limit: 5, remaining, reset_after }
}

/// Sends one request whose response has this `standing`.
async fn send(limiter: &Limiter, channel: u32, standing: &Standing) {
    let permit = limiter.enter(route(channel), true, None).await.ok().unwrap();
    permit.answered(StatusCode::OK, Some(standing));
}

#[tokio::test]
async fn who_would_wait_longer_than_the_bound_is_refused_at_once_in_a_sentence() {
    let limiter = Limiter::new();
    send(&limiter, 1, &standing(0, WAIT_WITHIN + Duration::from_secs(7))).await;
    let refused = limiter.enter(route(1), true, None).now_or_never().unwrap().err().unwrap();
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    let words = "not sent: POST /channels/{}/messages of channels/1 would have to wait 12";
    assert!(refused.sentence.starts_with(words), "{refused}");
    assert!(refused.sentence.ends_with(" s for Discord's rate limit, and 120 s is the most"), "{refused}");
    assert!(limiter.enter(route(2), true, None).now_or_never().unwrap().is_ok());
}

#[tokio::test]
async fn a_queue_is_as_long_as_its_last_may_wait() {
    let limiter = Limiter::new();
    send(&limiter, 1, &standing(0, Duration::from_secs(5))).await;
    let mut queue = Vec::new();
    let refused = loop {
        let mut entering = Box::pin(limiter.enter(route(1), true, None));
        match entering.as_mut().now_or_never() {
            None => queue.push(entering),
            Some(Err(refused)) => break refused,
            Some(Ok(_)) => panic!("it had to wait"),
        }
    };
    // 24 windows of 5 s.
    assert!((115..=125).contains(&queue.len()), "{}", queue.len());
    assert!(refused.sentence.contains("would have to wait"), "{refused}");
    // A request that is given up makes room.
    queue.truncate(1);
    assert_eq!(limiter.waiting(), 1);
    let mut entering = pin!(limiter.enter(route(1), true, None));
    assert!(entering.as_mut().now_or_never().is_none());
}

#[tokio::test]
async fn no_more_wait_in_all_than_there_is_room_for() {
    let limiter = Limiter::new();
    let mut waiting = Vec::new();
    let first = limiter.enter(route(0), true, None).await.ok().unwrap();
    first.answered(StatusCode::OK, Some(&standing(0, Duration::from_mins(1))));
    for channel in 0..8 {
        send(&limiter, channel + 1, &standing(0, Duration::from_secs(1))).await;
        for _ in 0..WAITING / 8 {
            let mut entering = Box::pin(limiter.enter(route(channel + 1), true, None));
            assert!(entering.as_mut().now_or_never().is_none());
            waiting.push(entering);
        }
    }
    let refused = limiter.enter(route(99), true, None).now_or_never().unwrap().err().unwrap();
    assert!(refused.sentence.contains("256 requests wait"), "{refused}");
}

#[tokio::test]
async fn a_429_that_takes_too_long_or_is_a_quota_is_the_callers() {
    let limiter = Limiter::new();
    let permit = limiter.enter(route(1), true, None).await.ok().unwrap();
    let soon = Duration::from_millis(20);
    let exceeded = |retry_after, is_quota| Exceeded { scope: Scope::User, retry_after, is_quota };
    assert!(permit.exceeded(&exceeded(soon, false), None).await);
    assert!(!permit.exceeded(&exceeded(soon, true), None).await);
    assert!(!permit.exceeded(&exceeded(WAIT_WITHIN * 2, false), None).await);
    drop(permit);
    // A 429 that was passed on blocks no later request.
    assert!(limiter.enter(route(1), true, None).now_or_never().unwrap().is_ok());
}

#[tokio::test]
async fn who_had_to_wait_is_told_with_the_time() {
    let limiter = Limiter::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    limiter.tell_waits(Box::new(move |scope, wait| tell.lock().unwrap().push((scope, wait))));
    send(&limiter, 1, &standing(0, Duration::from_millis(60))).await;
    send(&limiter, 1, &standing(4, Duration::from_millis(60))).await;
    let told = told.lock().unwrap();
    let [(Scope::User, wait)] = told[..] else { panic!("{told:?}") };
    assert!(wait >= Duration::from_millis(60), "{wait:?}");
}

#[tokio::test]
async fn a_queue_that_takes_more_than_a_window_is_told_once_with_its_plugin() {
    let (lines, _guard) = log();
    let limiter = Limiter::new();
    send(&limiter, 1, &standing(0, Duration::from_secs(1))).await;
    let mut queue = Vec::new();
    for _ in 0..20 {
        let mut entering = Box::pin(limiter.enter(route(1), true, Some("events/loud".into())));
        assert!(entering.as_mut().now_or_never().is_none());
        queue.push(entering);
    }
    let lines = lines.lock().unwrap();
    let told: Vec<_> =
        lines.iter().filter(|line| line.contains("requests wait for Discord's rate limit")).collect();
    let [line] = told[..] else { panic!("{lines:?}") };
    for part in ["events/loud", "POST /channels/{}/messages of channels/1", "waiting=6", "limit=5"] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
}

type Lines = Arc<Mutex<Vec<String>>>;

/// Collects the log of this thread.
fn log() -> (Lines, tracing::subscriber::DefaultGuard) {
    struct Writer(Lines);
    impl std::io::Write for Writer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().push(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let written = lines.clone();
    let writer = move || Writer(written.clone());
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(writer).finish();
    (lines, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn keeping_limits_costs_little() {
    const REQUESTS: u32 = 20_000;
    let limiter = Limiter::new();
    let standing = Standing { bucket: "b".to_owned(), limit: 9, remaining: 9, reset_after: Duration::ZERO };
    let began = Instant::now();
    for number in 0..REQUESTS {
        // Outside the global limit, in which it would wait.
        let path = format!("/api/v10/webhooks/1/token{}/messages/@original", number % 100);
        let route = Arc::new(Route::parse(&Method::PATCH, &path));
        limiter.enter(route, true, None).await.ok().unwrap().answered(StatusCode::OK, Some(&standing));
    }
    let each = began.elapsed() / REQUESTS;
    println!("keeping the limits of a request takes {each:?}");
    // A wide margin, for a busy machine. The printed value is the one to watch.
    assert!(each < Duration::from_millis(1), "{each:?}");
}
