//! The layers in front of every REST handler: the log outermost, then injected faults, then limits.
//!
//! # Layout
//! [`pass`] takes a request through the layers in their order, and its answer back through them:
//!
//! - `call`: the parts of a request that all of them use;
//! - `record`: logs the request, its body and its answer;
//! - `fault`: applies an injected fault: waits, answers in place of the handler, or changes the answer;
//! - `limit`: applies rate limits, and adds their headers.

mod call;
mod fault;
mod limit;
mod record;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use serde_json::Value;

use self::call::Call;
use self::fault::Answer;
use self::record::Pending;
use super::Limits;
use crate::event_log::EventLog;
use crate::fault::Faults;
use crate::in_flight::{Acting, until_written};
use crate::live::source;
use crate::parity::{Gaps, NotImplemented};
use crate::snowflake::Snowflake;
use crate::stage::Stage;

/// The layers in front of a REST router: the log, injected faults and limits, in this order from the outside in.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Log that every request goes to.
    pub log: EventLog,
    /// Faults to inject.
    pub faults: Faults,
    /// Limits in force.
    pub limits: Limits,
    /// Gaps that clients have met.
    pub gaps: Gaps,
}

/// Data about a request that only a handler knows. From the extensions of its response, it is logged.
#[derive(Clone, Debug, Default)]
pub struct Extra {
    /// Bot that sent it.
    pub bot: Option<Snowflake>,
    /// Whether a handler has read the body of the request.
    pub body_read: bool,
    /// Fields of a valid body that nothing has read.
    pub unread: Vec<String>,
    /// Body of the request, if it was not plain JSON (for example the `payload_json` of a form).
    pub request: Option<Value>,
}

impl Edge {
    /// Returns a router in which these layers are in front of everything that the given one answers.
    pub fn guard(self, router: Router) -> Router {
        self.before(Stage::of(router)).router()
    }

    pub(crate) fn before(self, stage: Stage) -> Stage {
        stage.behind(self, pass)
    }
}

async fn pass(edge: Arc<Edge>, request: Request, next: Stage) -> Response {
    let call = Call::read(&request);
    let mut pending = Pending::new(&edge.log, &call, request.uri().query());
    let (request, rest) = pending.read_request(request).await;
    let effect = fault::strike(&edge, &call, &mut pending).await;
    let mut response = match fault::instead(&effect, &edge.limits, &call) {
        Answer::Drop => return call.drop_connection(),
        Answer::Response(response) => response,
        Answer::Refusal(refusal) => limit::refuse(&edge.limits, &refusal, &mut pending),
        Answer::Handler => {
            let source = source::named(request.headers());
            source::run(source, limit::handle(&edge.limits, &call, request, next, &mut pending)).await
        }
    };
    if let Some(rest) = rest {
        rest.drain().await;
    }
    limit::finish(&edge.limits, &call, &mut response, &pending);
    let extra = response.extensions_mut().remove::<Extra>().unwrap_or_default();
    let acting = response.extensions_mut().remove::<Arc<Acting>>();
    gaps(&edge, &call, &response, &extra, &pending);
    pending.take_extra(extra);
    let Some(response) = fault::change(&effect, response).await else { return call.drop_connection() };

    let response = pending.read_response(response).await;
    let response = fault::truncate(&effect, response).await;
    match acting {
        Some(acting) => until_written(response, acting, call.connection),
        None => response,
    }
}

/// Logs and counts what the sandbox lacks: the operation, or the fields of a body that it has not read.
fn gaps(edge: &Edge, call: &Call, response: &Response, extra: &Extra, pending: &Pending) {
    if let Some(NotImplemented(operation)) = response.extensions().get() {
        edge.gaps.missing(operation, extra.bot, &edge.log);
    }
    if !response.status().is_success() {
        return;
    }
    let unread = if extra.body_read { extra.unread.clone() } else { pending.fields() };
    if !unread.is_empty() {
        edge.gaps.unread(&call.method, call.route.template(), unread, &edge.log);
    }
}
