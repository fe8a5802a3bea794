//! Name lookups, with a bound on the number of threads.

use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

/// Looks up names: the system, or a test.
pub(in crate::source) trait Lookup: Send + Sync {
    /// Returns all addresses of a name.
    fn lookup(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system's lookup.
///
/// The system's resolver blocks its thread for as long as its servers are silent, and cannot be cancelled. So each
/// lookup keeps its permit until it has really ended, even if no task waits for it any more: slow name servers use up
/// these permits and no other thread of the runtime.
pub(in crate::source) struct System {
    places: Arc<Semaphore>,
    ask: fn(&str) -> io::Result<Vec<IpAddr>>,
}

impl System {
    /// Creates a lookup of at most `most` names at a time.
    pub(in crate::source) fn new(most: usize) -> Self {
        Self::asking(most, |host| Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect()))
    }

    fn asking(most: usize, ask: fn(&str) -> io::Result<Vec<IpAddr>>) -> Self {
        Self { places: Arc::new(Semaphore::new(most)), ask }
    }
}

impl Lookup for System {
    fn lookup(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let (places, ask) = (self.places.clone(), self.ask);
        Box::pin(async move {
            let place = places.acquire_owned().await.map_err(io::Error::other)?;
            let asked = tokio::task::spawn_blocking(move || {
                let found = ask(&host);
                drop(place);
                found
            });
            asked.await.map_err(io::Error::other)?
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use parking_lot::{Condvar, Mutex};
    use tokio::time::timeout;

    use super::*;

    const PLACES: usize = 4;

    static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    static ANSWERS: Mutex<bool> = Mutex::new(false);
    static CHANGED: Condvar = Condvar::new();

    /// A resolver whose servers are silent until the test lets them answer.
    #[allow(clippy::unnecessary_wraps)] // The signature of the system's, which may fail.
    fn silent(host: &str) -> io::Result<Vec<IpAddr>> {
        let now = UNDER_WAY.fetch_add(1, Ordering::SeqCst) + 1;
        MOST.fetch_max(now, Ordering::SeqCst);
        let mut answers = ANSWERS.lock();
        while !*answers && host != "quick.example" {
            CHANGED.wait(&mut answers);
        }
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
        Ok(vec![IpAddr::from([8, 8, 8, 8])])
    }

    #[test]
    fn silent_name_servers_leave_threads_for_other_work() {
        // As many threads as there are permits, and one.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(PLACES + 1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let system = Arc::new(System::asking(PLACES, silent));
            let within = Duration::from_millis(50);
            let lookups = (0..40).map(|number| timeout(within, system.lookup(format!("{number}.example"))));
            let lookups = futures_util::future::join_all(lookups).await;
            assert!(lookups.iter().all(Result::is_err), "nothing was answered");
            // No task waits any more, and the threads are still in use.
            while UNDER_WAY.load(Ordering::SeqCst) < PLACES {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(tokio::task::spawn_blocking(|| 7).await.unwrap(), 7);
            assert!(timeout(within, system.lookup("quick.example".to_owned())).await.is_err(), "no place");
            *ANSWERS.lock() = true;
            CHANGED.notify_all();
            let found = system.lookup("quick.example".to_owned()).await.unwrap();
            assert_eq!(found, [IpAddr::from([8, 8, 8, 8])]);
            assert_eq!(MOST.load(Ordering::SeqCst), PLACES);
        });
    }

    #[tokio::test]
    async fn the_system_knows_this_machine() {
        let found = System::new(1).lookup("localhost".to_owned()).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
    }
}
