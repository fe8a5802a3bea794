//! Interactions of users with bots: commands, autocompletion, components and modals.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};

use super::commands::{self, RunCommand};
use super::components::{self, UseComponent, Used};
use super::modals::{self, SubmitModal};
use super::wait::{self, WaitLimits};
use super::{BadRequest, Control, Path, Request};
use crate::answer::Answer;
use crate::live::{Live, Trigger};
use crate::snowflake::Snowflake;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/commands", get(commands::list))
        .route("/sandbox/interactions/command", post(command))
        .route("/sandbox/interactions/autocomplete", post(autocomplete))
        .route("/sandbox/interactions/component", post(component))
        .route("/sandbox/interactions/modal", post(modal))
        .route("/sandbox/interactions/{id}", get(show))
}

/// Waits until bots have been sent the responses to the requests with which they made the components and modals that users see
/// now. A command needs none of them.
async fn catch_up(control: &Control) {
    let longest = control.discord.limits().response;
    // A bot that does not read its responses does without.
    let _ = tokio::time::timeout(longest, control.in_flight.written()).await;
}

async fn run(
    control: &Control,
    limits: WaitLimits,
    prepare: impl FnOnce(&mut Live<'_>) -> Result<Trigger, BadRequest>,
) -> Result<Json<Answer>, BadRequest> {
    let started = {
        let mut live = control.discord.lock();
        let trigger = prepare(&mut live)?;
        live.start(&trigger)?
    };
    wait::answer(control, &started, limits).await.map(Json)
}

fn limits(deadline_ms: Option<u64>, settle_ms: Option<u64>, acknowledged: bool) -> WaitLimits {
    WaitLimits::new(deadline_ms, settle_ms).acknowledged(acknowledged)
}

async fn command(
    State(control): State<Control>,
    Request(asked): Request<RunCommand>,
) -> Result<Json<Answer>, BadRequest> {
    run(&control, limits(asked.deadline_ms, asked.settle_ms, asked.until_acknowledged), |live| {
        commands::run(live, &asked, false)
    })
    .await
}

async fn autocomplete(
    State(control): State<Control>,
    Request(asked): Request<RunCommand>,
) -> Result<Json<Answer>, BadRequest> {
    run(&control, limits(asked.deadline_ms, asked.settle_ms, asked.until_acknowledged), |live| {
        commands::run(live, &asked, true)
    })
    .await
}

async fn component(
    State(control): State<Control>,
    Request(asked): Request<UseComponent>,
) -> Result<Json<Answer>, BadRequest> {
    catch_up(&control).await;
    let started = {
        let mut live = control.discord.lock();
        match components::press(&mut live, &asked)? {
            Used::Interaction(trigger) => live.start(&trigger)?,
            Used::Offer(sku) => return Ok(Json(Answer { purchase: Some(sku), ..Answer::default() })),
        }
    };
    let limits = self::limits(asked.deadline_ms, asked.settle_ms, asked.until_acknowledged);
    wait::answer(&control, &started, limits).await.map(Json)
}

async fn modal(
    State(control): State<Control>,
    Request(asked): Request<SubmitModal>,
) -> Result<Json<Answer>, BadRequest> {
    catch_up(&control).await;
    run(&control, limits(asked.deadline_ms, asked.settle_ms, asked.until_acknowledged), |live| {
        modals::submit(live, &asked)
    })
    .await
}

async fn show(State(control): State<Control>, Path(id): Path<Snowflake>) -> Result<Json<Answer>, BadRequest> {
    wait::read(&control.discord.lock(), id).map(Json)
}
