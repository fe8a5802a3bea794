//! The HTTP client of all sources: guarded, bounded in time, and following redirects one by one.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, COOKIE, HeaderMap, HeaderValue, LOCATION, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url, Version};
use tokio::time::timeout;

use super::deadline::Deadline;
use super::guard::{Guard, HostList, Lookup, Refusal, System};
use super::{Bounds, SourceError};

mod body;
mod failed;
mod head;
#[cfg(test)]
mod tests;

pub(super) use body::Body;
pub(super) use failed::{Failed, Port};
pub(super) use head::Head;

/// User agent.
const AGENT: &str = concat!("hotcord/", env!("CARGO_PKG_VERSION"));
/// Time for which a connection is kept for another request.
const IDLE: Duration = Duration::from_secs(15);

/// The HTTP client of all sources. Cheap to clone.
#[derive(Clone)]
pub(super) struct Web(Arc<Inner>);

struct Inner {
    /// Created on first use, because that reads the root certificates.
    client: OnceLock<Client>,
    lookup: Arc<dyn Lookup>,
    guard: Guard,
    bounds: Arc<Bounds>,
}

impl Default for Web {
    fn default() -> Self {
        let bounds = Bounds::default();
        Self::new(Guard::new(HostList::default(), bounds.address), Arc::new(bounds))
    }
}

/// An answer whose head has been read.
pub(super) struct Response {
    /// Address that answered, after all redirects.
    pub(super) url: Url,
    /// The content of the head.
    pub(super) head: Head,
    /// The body.
    pub(super) body: Body,
    /// The last port on the way here that is not a web server's.
    pub(super) port: Port,
}

impl Web {
    /// Creates a client that reaches only what `guard` allows.
    pub(super) fn new(guard: Guard, bounds: Arc<Bounds>) -> Self {
        let lookup = System::new(bounds.lookups);
        Self::with_lookup(guard, bounds, Arc::new(lookup))
    }

    pub(super) fn with_lookup(guard: Guard, bounds: Arc<Bounds>, lookup: Arc<dyn Lookup>) -> Self {
        Self(Arc::new(Inner { client: OnceLock::new(), lookup, guard, bounds }))
    }

    fn client(&self) -> &Client {
        self.0.client.get_or_init(|| {
            let bounds = &self.0.bounds;
            let client = Client::builder()
                .dns_resolver(Arc::new(self.0.guard.resolver(self.0.lookup.clone(), bounds.connect)))
                .redirect(Policy::none())
                // A proxy would look up names in place of the guard.
                .no_proxy()
                .connect_timeout(bounds.connect)
                // SHOUTcast 1 begins its answers with "ICY 200 OK", which counts as HTTP/0.9.
                .http09_responses()
                .http1_only()
                .pool_max_idle_per_host(2)
                .pool_idle_timeout(IDLE)
                .build();
            // There must be no client without the guard's resolver.
            client.expect("no file, proxy or native library is configured, so nothing in it can fail")
        })
    }

    /// Returns the guard of its addresses.
    pub(super) fn guard(&self) -> &Guard {
        &self.0.guard
    }

    /// Returns the limits.
    pub(super) fn bounds(&self) -> &Arc<Bounds> {
        &self.0.bounds
    }

    /// Requests `url`, follows redirects, and returns the first successful answer.
    pub(super) async fn get(
        &self,
        url: &Url,
        headers: &HeaderMap,
        deadline: Deadline,
    ) -> Result<Response, Failed> {
        let mut url = url.clone();
        let mut headers = headers.clone();
        let mut port = Port::default();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
        for _ in 0..=self.0.bounds.redirects {
            self.0.guard.check(&url).map_err(|error| port.failed(error))?;
            let request = self.client().get(url.clone()).headers(headers.clone()).send();
            let response = deadline.keep(self.in_time(async { Ok(request.await) })).await;
            // There was no connection to a name that is refused.
            if let Ok(Err(error)) = &response
                && let Some(refusal) = Refusal::within(error)
            {
                return Err(port.failed(refusal.into()));
            }
            port.note(&url, &self.0.bounds.ports);
            let response = response.map_err(|error| port.failed(error))?;
            let response = response.map_err(|error| failed(&port, &error))?;
            let Some(next) = redirect(&url, &response) else {
                return self.answer(url, response, port, deadline).await;
            };
            let next = next.map_err(|error| port.failed(error))?;
            if next.origin() != url.origin() {
                headers.remove(AUTHORIZATION);
                headers.remove(COOKIE);
            }
            url = next;
        }
        Err(port.failed(SourceError::Redirects))
    }

    /// Waits for a server to begin to answer.
    async fn in_time<T>(&self, work: impl Future<Output = Result<T, SourceError>>) -> Result<T, SourceError> {
        timeout(self.0.bounds.answer, work).await.unwrap_or(Err(SourceError::TimedOut))
    }

    async fn answer(
        &self,
        url: Url,
        response: reqwest::Response,
        port: Port,
        deadline: Deadline,
    ) -> Result<Response, Failed> {
        if !response.status().is_success() {
            return Err(port.failed(SourceError::Status(response.status().as_u16())));
        }
        let is_bare = response.version() == Version::HTTP_09;
        let mut head = Head::new(response.status(), response.headers());
        let mut body = Body::new(response, self.0.bounds.silence);
        if is_bare {
            let told = deadline.keep(self.in_time(body.take_head())).await;
            head = told.and_then(|told| Head::of_shoutcast(&told)).map_err(|error| port.failed(error))?;
        }
        Ok(Response { url, head, body, port })
    }
}

/// Returns the address of a redirect.
fn redirect(url: &Url, response: &reqwest::Response) -> Option<Result<Url, SourceError>> {
    let follows = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let location = response.headers().get(LOCATION).filter(|_| follows)?;
    let location = location.to_str().ok().and_then(|location| url.join(location).ok());
    Some(location.ok_or(SourceError::Status(response.status().as_u16())))
}

/// Returns the error of a failed request for the user, and keeps the cause for the log.
fn failed(port: &Port, error: &reqwest::Error) -> Failed {
    if error.is_timeout() {
        return port.failed(SourceError::TimedOut);
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    // The client's own message quotes the address, which may contain a secret.
    let cause = cause.to_string().replace(error.url().map_or("\n", Url::as_str), "the address");
    tracing::debug!(cause, "a request failed");
    Failed { cause: Some(cause), ..port.failed(SourceError::Unreachable) }
}
