//! What stands before every REST handler: the log around all, then injected faults, then limits.
//!
//! # Layout
//! [`pass`] takes a request through the layers in their order, and its answer back through them:
//!
//! - `call`: what all of them look at;
//! - `record`: the request, its body and its answer go to the log;
//! - `fault`: an injected fault waits, answers in the handler's place, or changes the answer;
//! - `limit`: rate limits, and the headers that tell of them.

mod call;
mod fault;
mod limit;
mod record;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use serde_json::Value;

use self::call::Call;
use self::fault::Answer;
use self::record::Pending;
use super::Limits;
use crate::fault::Faults;
use crate::record::EventLog;
use crate::snowflake::Snowflake;

/// Records, harms and limits the requests of a REST router, in this order from the outside in.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Log that every request goes to.
    pub log: EventLog,
    /// Faults to inject.
    pub faults: Faults,
    /// Limits in force.
    pub limits: Limits,
}

/// What only a handler knows of a request; put into the extensions of its response, it goes to the log.
#[derive(Clone, Debug, Default)]
pub struct Extra {
    /// Bot that asked.
    pub bot: Option<Snowflake>,
    /// Body of the request, if it was not plain JSON (for example the `payload_json` of a form).
    pub request: Option<Value>,
}

impl Edge {
    /// Puts this edge before all routes that the router has by now.
    pub fn guard<S: Clone + Send + Sync + 'static>(self, router: Router<S>) -> Router<S> {
        router.layer(from_fn_with_state(self, pass))
    }
}

async fn pass(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let call = Call::read(&request);
    let mut pending = Pending::new(&edge.log, &call, request.uri().query());
    let request = pending.read_request(request).await;

    let effect = fault::strike(&edge, &call, &mut pending).await;
    let mut response = match fault::instead(&effect, &edge.limits, &call) {
        Answer::Drop => return call.drop_connection(),
        Answer::Response(response) => {
            call::drain(request).await;
            response
        }
        Answer::Refusal(refusal) => limit::refuse(&refusal, request, &mut pending).await,
        Answer::Handler => limit::handle(&edge.limits, &call, request, next, &mut pending).await,
    };
    limit::finish(&edge.limits, &call, &mut response, &pending);
    pending.take_extra(&mut response);
    let Some(response) = fault::change(&effect, response).await else { return call.drop_connection() };

    let response = pending.read_response(response).await;
    fault::truncate(&effect, response).await
}
