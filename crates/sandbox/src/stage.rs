//! Stages: functions that see each request before a router does.
//!
//! They are in front of the router as a whole. A layer of axum is part of every route instead, and is cloned with it several
//! times for each request; see "The sandbox's pace" in `docs/architecture.md`.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use futures_util::future::BoxFuture;
use tower::{Service as _, service_fn};

/// What answers requests: a router, with the stages in front of it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Stage(Arc<dyn Fn(Request) -> BoxFuture<'static, Response> + Send + Sync>);

impl Stage {
    /// Returns the last stage, which is a router.
    pub(crate) fn of(router: Router) -> Self {
        Self(Arc::new(move |request| {
            let answered = router.clone().call(request);
            Box::pin(async move {
                let Ok(response) = answered.await;
                response
            })
        }))
    }

    /// Adds a function in front of all other stages.
    pub(crate) fn behind<S, F>(
        self,
        state: S,
        pass: impl Fn(Arc<S>, Request, Self) -> F + Send + Sync + 'static,
    ) -> Self
    where
        S: Send + Sync + 'static,
        F: Future<Output = Response> + Send + 'static,
    {
        let state = Arc::new(state);
        Self(Arc::new(move |request| Box::pin(pass(Arc::clone(&state), request, self.clone()))))
    }

    /// Returns the answer to a request.
    pub(crate) fn run(&self, request: Request) -> BoxFuture<'static, Response> {
        (self.0)(request)
    }

    /// Returns a router in which every request goes through these stages.
    pub(crate) fn router(self) -> Router {
        Router::new().fallback_service(service_fn(move |request| {
            let answered = self.run(request);
            async move { Ok::<_, Infallible>(answered.await) }
        }))
    }
}
