//! What a user does that a bot answers: commands, autocompletion, components and modals.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;

use super::values::FileGiven;
use super::wait::{self, Patience};
use super::{Control, Path, Refused, Request, commands, components, modals};
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
        .route("/sandbox/interactions/{id}", get(look))
        .layer(axum::extract::DefaultBodyLimit::max(64 << 20))
}

/// A command to run, or to complete.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct RunCommand {
    /// Who runs it.
    #[serde(rename = "as")]
    pub(super) user: String,
    /// Where.
    pub(super) channel: String,
    /// Guild in which the channel is looked up by name.
    pub(super) guild: Option<String>,
    /// As typed: `/poll question:"a b"`.
    pub(super) text: Option<String>,
    /// Name of the command, where options are given apart.
    pub(super) name: Option<String>,
    /// Options as JSON.
    pub(super) options: Option<Value>,
    /// For autocompletion with options apart: the option being typed.
    pub(super) focused: Option<String>,
    /// For a user command or message command: on whom, or on which message.
    pub(super) target: Option<String>,
    /// Bot whose command it is, where several have one of that name.
    pub(super) bot: Option<String>,
    /// Files that options name, by the path they are named with.
    #[serde(default)]
    pub(super) files: std::collections::HashMap<String, FileGiven>,
    /// How long to wait.
    #[serde(flatten)]
    pub(super) patience: Patience,
}

/// A button to press, or a menu to choose from.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct UseComponent {
    /// Who uses it.
    #[serde(rename = "as")]
    pub(super) user: String,
    /// Message it is on.
    pub(super) message: Snowflake,
    /// Its custom id, or else what is written on it.
    pub(super) component: Option<String>,
    /// Its custom id.
    pub(super) custom_id: Option<String>,
    /// Its label or placeholder.
    pub(super) label: Option<String>,
    /// What is chosen from a menu.
    #[serde(default)]
    pub(super) values: Vec<String>,
    /// How long to wait.
    #[serde(flatten)]
    pub(super) patience: Patience,
}

/// A modal to submit.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SubmitModal {
    /// Interaction that opened it.
    pub(super) interaction: Snowflake,
    /// Inputs by custom id: a text, a list of choices, or true and false.
    #[serde(default)]
    pub(super) values: serde_json::Map<String, Value>,
    /// Files that uploads name, by the path they are named with.
    #[serde(default)]
    pub(super) files: std::collections::HashMap<String, FileGiven>,
    /// How long to wait.
    #[serde(flatten)]
    pub(super) patience: Patience,
}

async fn run(
    control: &Control,
    patience: Patience,
    prepare: impl FnOnce(&mut Live<'_>) -> Result<Trigger, Refused>,
) -> Result<Json<Answer>, Refused> {
    let started = {
        let mut live = control.discord.lock();
        let trigger = prepare(&mut live)?;
        live.start(&trigger)?
    };
    wait::answer(control, &started, patience).await.map(Json)
}

async fn command(
    State(control): State<Control>,
    Request(asked): Request<RunCommand>,
) -> Result<Json<Answer>, Refused> {
    run(&control, asked.patience, |live| commands::run(live, &asked, false)).await
}

async fn autocomplete(
    State(control): State<Control>,
    Request(asked): Request<RunCommand>,
) -> Result<Json<Answer>, Refused> {
    run(&control, asked.patience, |live| commands::run(live, &asked, true)).await
}

async fn component(
    State(control): State<Control>,
    Request(asked): Request<UseComponent>,
) -> Result<Json<Answer>, Refused> {
    run(&control, asked.patience, |live| components::press(live, &asked)).await
}

async fn modal(
    State(control): State<Control>,
    Request(asked): Request<SubmitModal>,
) -> Result<Json<Answer>, Refused> {
    run(&control, asked.patience, |live| modals::submit(live, &asked)).await
}

async fn look(State(control): State<Control>, Path(id): Path<Snowflake>) -> Result<Json<Answer>, Refused> {
    wait::read(&control.discord.lock(), id).map(Json)
}
