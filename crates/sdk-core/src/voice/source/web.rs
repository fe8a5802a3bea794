//! The HTTP client of all sources: guarded, bounded in time, and following redirects one by one.

use std::sync::{Arc, OnceLock};

use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, COOKIE, HeaderMap, HeaderValue, LOCATION, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url, Version};
use tokio::time::timeout;

use super::guard::{AllowList, Guard, Lookup, Refusal, System};
use super::{Bounds, SourceError};

mod body;
mod head;
#[cfg(test)]
mod tests;

pub(super) use body::Body;
pub(super) use head::Head;

/// Name that servers see.
const AGENT: &str = concat!("hotcord/", env!("CARGO_PKG_VERSION"));

/// The HTTP client of all sources; cheap to clone.
#[derive(Clone)]
pub(super) struct Web(Arc<Inner>);

struct Inner {
    /// Made on first use, because it reads the root certificates.
    client: OnceLock<Client>,
    lookup: Arc<dyn Lookup>,
    guard: Guard,
    bounds: Arc<Bounds>,
}

impl Default for Web {
    fn default() -> Self {
        let bounds = Bounds::default();
        Self::new(Guard::new(AllowList::default(), bounds.address), Arc::new(bounds))
    }
}

/// An answer whose head has been read.
pub(super) struct Answer {
    /// Address that answered, after all redirects.
    pub(super) url: Url,
    /// What the head says.
    pub(super) head: Head,
    /// What follows.
    pub(super) body: Body,
}

impl Web {
    /// Makes a client that reaches only what `guard` lets through.
    pub(super) fn new(guard: Guard, bounds: Arc<Bounds>) -> Self {
        Self::with_lookup(guard, bounds, Arc::new(System))
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
                // A proxy would look up names in the guard's stead.
                .no_proxy()
                .connect_timeout(bounds.connect)
                // SHOUTcast 1 begins its answers with "ICY 200 OK", which counts as HTTP/0.9.
                .http09_responses()
                .http1_only()
                .pool_max_idle_per_host(2)
                .build();
            // A client without the guard's resolver must not be.
            client.expect("no file, proxy or native library is configured, so nothing in it can fail")
        })
    }

    /// Gives the guard of its addresses.
    pub(super) fn guard(&self) -> &Guard {
        &self.0.guard
    }

    /// Gives the limits.
    pub(super) fn bounds(&self) -> &Arc<Bounds> {
        &self.0.bounds
    }

    /// Asks for `url`, follows redirects, and gives the first answer that is a success.
    pub(super) async fn get(&self, url: &Url, headers: &HeaderMap) -> Result<Answer, SourceError> {
        let mut url = url.clone();
        let mut headers = headers.clone();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
        for _ in 0..=self.0.bounds.redirects {
            self.0.guard.check(&url)?;
            let request = self.client().get(url.clone()).headers(headers.clone()).send();
            let response = timeout(self.0.bounds.answer, request)
                .await
                .map_err(|_| SourceError::TimedOut)?
                .map_err(|error| failure(&error))?;
            let Some(next) = redirect(&url, &response) else { return self.answer(url, response).await };
            let next = next?;
            if next.origin() != url.origin() {
                headers.remove(AUTHORIZATION);
                headers.remove(COOKIE);
            }
            url = next;
        }
        Err(SourceError::Redirects)
    }

    async fn answer(&self, url: Url, response: Response) -> Result<Answer, SourceError> {
        if !response.status().is_success() {
            return Err(SourceError::Status(response.status().as_u16()));
        }
        let is_bare = response.version() == Version::HTTP_09;
        let mut head = Head::new(response.status(), response.headers());
        let mut body = Body::new(response, self.0.bounds.silence);
        if is_bare {
            head = Head::of_shoutcast(&body.take_head().await?)?;
        }
        Ok(Answer { url, head, body })
    }
}

/// Gives the address that a redirect leads to.
fn redirect(url: &Url, response: &Response) -> Option<Result<Url, SourceError>> {
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

/// Says in our words why a request failed.
pub(super) fn failure(error: &reqwest::Error) -> SourceError {
    if let Some(refusal) = Refusal::within(error) {
        refusal.into()
    } else if error.is_timeout() {
        SourceError::TimedOut
    } else {
        tracing::debug!(error = %error.to_string().replace(error.url().map_or("\n", Url::as_str), "the address"), "a request failed");
        SourceError::Unreachable
    }
}
