use std::error::Error as _;
use std::io;

use futures_util::future::BoxFuture;
use serenity::async_trait;

use super::*;
use crate::host::Host;
use crate::settings::Settings;

/// Far longer than any hook that ends, also on a busy machine.
const LONG: Duration = Duration::from_secs(30);

/// A plugin with this `start` hook.
struct Hooked(fn() -> BoxFuture<'static, Result<(), Error>>);

#[async_trait]
impl Plugin for Hooked {
    async fn start(&self, _: &Data) -> Result<(), Error> {
        (self.0)().await
    }
}

async fn start(deadline: Duration, make: fn() -> Box<dyn Plugin>) -> HookError {
    let entry = PluginEntry::new("commands-hooked", "1.2.3", "", make);
    let host = Host::new("1.0.0", Settings::default());
    let generation = Generation::new(&entry, 1, &host).unwrap();
    generation.start(deadline).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hook_that_does_not_succeed_is_told_with_its_cause() {
    let fails =
        start(LONG, || Box::new(Hooked(|| Box::pin(async { Err(io::Error::other("no disk").into()) }))));
    let fails = fails.await;
    assert_eq!(fails.to_string(), "its start hook failed: no disk");
    assert!(fails.source().unwrap().is::<io::Error>(), "{fails:?}");

    let panics =
        start(LONG, || Box::new(Hooked(|| Box::pin(async { panic!("expected by the test") })))).await;
    assert!(matches!(panics.kind(), HookErrorKind::Panicked(panic) if panic.text == "expected by the test"));
    assert!(panics.to_string().starts_with("its start hook panicked: expected by the test (at "), "{panics}");

    let hangs =
        start(Duration::from_millis(50), || Box::new(Hooked(|| Box::pin(std::future::pending())))).await;
    assert!(matches!(hangs.kind(), HookErrorKind::TimedOut(_)) && hangs.source().is_none());
    assert_eq!(hangs.to_string(), "its start hook did not end within 50 ms");
}
