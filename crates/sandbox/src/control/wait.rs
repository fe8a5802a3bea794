//! Waiting for a bot's answer, and describing what the user sees of it.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use serde_json::Value;
use tokio::time::timeout_at;

use super::{BadRequest, Control};
use crate::answer::Answer;
use crate::live::{Live, Started};
use crate::snowflake::Snowflake;
use crate::state::interaction::{Delivery, Interaction, Response};
use crate::state::message::{Message, flag};

/// How long to wait.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WaitLimits {
    /// Until a deferred answer is completed, from the start.
    pub(super) deadline_ms: Option<u64>,
    /// After the answer, for second callbacks and followups.
    pub(super) settle_ms: Option<u64>,
    /// Whether to wait no longer than for the first callback.
    pub(super) acknowledged: bool,
}

impl WaitLimits {
    /// Returns these limits, in milliseconds.
    pub(super) fn new(deadline_ms: Option<u64>, settle_ms: Option<u64>) -> Self {
        Self { deadline_ms, settle_ms, acknowledged: false }
    }

    /// Returns these limits, and whether to wait no longer than for the first callback.
    pub(super) fn acknowledged(mut self, acknowledged: bool) -> Self {
        self.acknowledged = acknowledged;
        self
    }
}

/// Default wait for a deferred answer.
const DEADLINE: Duration = Duration::from_secs(30);

/// The same for a deferred update: the user sees no sign of it, and a bot may never make one.
const UPDATE_DEADLINE: Duration = Duration::from_secs(3);

/// Wait for a further message after "thinking" was taken back. So a bot answers one user alone after it has deferred its
/// answer for all to see.
const FURTHER_DEADLINE: Duration = Duration::from_secs(1);

/// The state of an interaction.
enum Stand {
    /// The user sees the answer.
    Seen,
    /// There is no response yet.
    Silent,
    /// The request with it has failed, so there will be none.
    Failed,
    /// The bot is thinking.
    Thinking,
    /// The bot has acknowledged, and may edit the component's message.
    Acknowledged,
    /// The bot has taken "thinking" back, at that time, and may send a further message.
    TakenBack(Instant),
}

fn stand(interaction: &Interaction) -> Stand {
    if let Some(answered) = interaction.answered {
        let was_deferred = interaction.acknowledged != interaction.answered;
        let is_taken_back = interaction.response == Response::Deleted && interaction.followups.is_empty();
        if is_taken_back && was_deferred { Stand::TakenBack(answered) } else { Stand::Seen }
    } else {
        match interaction.response {
            Response::Deferred => Stand::Thinking,
            Response::DeferredUpdate => Stand::Acknowledged,
            _ if matches!(interaction.delivery, Delivery::Failed(_)) => Stand::Failed,
            _ => Stand::Silent,
        }
    }
}

/// Waits until the user sees an answer or gives up, and the bot has been sent the response to its request; returns the answer.
pub(super) async fn answer(
    control: &Control,
    started: &Started,
    limits: WaitLimits,
) -> Result<Answer, BadRequest> {
    let begun = Instant::now();
    let silence_ends = begun + control.discord.limits().response;
    let ends = |default| begun + limits.deadline_ms.map_or(default, Duration::from_millis);
    let mut error = None;
    loop {
        let notified = started.changed.notified();
        tokio::pin!(notified);
        notified.as_mut().enable();
        let stand = control.discord.lock().interactions.get(started.id).map_or(Stand::Seen, stand);
        let until = match stand {
            Stand::Seen => break,
            Stand::Silent => silence_ends,
            Stand::Failed => {
                error = give_up(&mut control.discord.lock(), started.id, &stand);
                break;
            }
            _ if limits.acknowledged => break,
            Stand::Thinking => ends(DEADLINE),
            Stand::Acknowledged => ends(UPDATE_DEADLINE),
            Stand::TakenBack(at) => at + FURTHER_DEADLINE,
        };
        if timeout_at(until.into(), notified).await.is_err() {
            error = give_up(&mut control.discord.lock(), started.id, &stand);
            break;
        }
    }
    if error.is_none() {
        // Over time, what follows does without.
        let _ = timeout_at(ends(DEADLINE).into(), control.in_flight.written()).await;
    }
    if let Some(time) = limits.settle_ms {
        tokio::time::sleep(Duration::from_millis(time)).await;
    }
    let mut answer = read(&control.discord.lock(), started.id)?;
    if let Some((error, hint)) = error {
        answer.error = Some(error.to_owned());
        answer.hint = hint;
    }
    Ok(answer)
}

/// Returns the error that the user reads when the time is over. A deferred update that never came is no failure.
fn give_up(live: &mut Live<'_>, id: Snowflake, stand: &Stand) -> Option<(&'static str, Option<String>)> {
    let interaction = live.interactions.get(id)?;
    if interaction.answered.is_some() {
        return None;
    }
    let application = interaction.application_id;
    let delivery = interaction.delivery.clone();
    let error = match stand {
        Stand::Seen | Stand::Acknowledged | Stand::TakenBack(_) => return None,
        Stand::Thinking => "The application is still thinking.",
        Stand::Silent | Stand::Failed => "The application did not respond",
    };
    let online = live.is_online(application);
    live.interactions.totals.unanswered += 1;
    let name = live.users.get(&application).map_or("The bot", |user| user.username.as_str());
    let hint = match (stand, delivery) {
        (_, Delivery::Gateway) => {
            (!online).then(|| format!("{name} has no open gateway connection; is it running?"))
        }
        (_, Delivery::Failed(reason)) => Some(format!("{reason}.")),
        (Stand::Silent, Delivery::Posted) => {
            Some(format!("The interactions endpoint of {name} has not answered in time."))
        }
        (Stand::Silent, Delivery::Accepted) => Some(format!(
            "The interactions endpoint of {name} answered with 202, and no callback came in time."
        )),
        _ => None,
    };
    Some((error, hint))
}

/// Returns the present answer to an interaction.
pub(super) fn read(live: &Live<'_>, id: Snowflake) -> Result<Answer, BadRequest> {
    let interaction = live.interactions.get(id).ok_or_else(|| {
        BadRequest::with_status(StatusCode::NOT_FOUND, format!("There is no interaction {id} any more."))
    })?;
    let user = Some(interaction.user_id);
    let message = interaction
        .original
        .filter(|_| interaction.answered.is_some())
        .and_then(|message| live.any_message(interaction.channel_id, message));
    let followups = followups_seen(live, interaction);
    // After a silent acknowledgement, or in place of an answer that was taken back, the user sees a followup.
    let shown = match interaction.response {
        Response::DeferredUpdate | Response::Deleted if !followups.is_empty() => followups.first().copied(),
        _ => message,
    };
    let ms = |at: Option<Instant>| at.map(|at| (at - interaction.created).as_secs_f64() * 1000.0);
    let mut answer = Answer {
        interaction: id,
        followups: followups.iter().map(|message| message.json(live, user)).collect(),
        deferred: interaction.acknowledged.is_some()
            && (interaction.is_deferred() || interaction.answered != interaction.acknowledged),
        latency_ms: ms(interaction.answered),
        acknowledged_ms: ms(interaction.acknowledged),
        callbacks: interaction.callbacks,
        ..Answer::default()
    };
    match &interaction.response {
        Response::Modal(modal) => answer.modal = Some(modal.clone()),
        Response::Choices(choices) => answer.choices = choices.as_array().cloned(),
        Response::Launched(instance) => answer.activity = Some(instance.clone()),
        _ => {}
    }
    if let Some(message) = shown {
        answer.content.clone_from(&message.content);
        answer.embeds.clone_from(&message.embeds);
        answer.components.clone_from(&message.components);
        answer.ephemeral = message.flags & flag::EPHEMERAL != 0;
        let json: Value = message.json(live, user);
        answer.message = Some(json);
    }
    Ok(answer)
}

/// Returns the further messages that the user sees, oldest first. For a submitted modal, messages count too that were
/// sent since then with the token of the interaction that opened it.
fn followups_seen<'a>(live: &'a Live<'_>, interaction: &Interaction) -> Vec<&'a Message> {
    let opener = interaction.opener.and_then(|id| live.interactions.get(id));
    let since = opener.into_iter().flat_map(|opener| &opener.followups).filter(|id| **id > interaction.id);
    let mut ids: Vec<Snowflake> = interaction.followups.iter().chain(since).copied().collect();
    ids.sort_unstable();
    ids.into_iter().filter_map(|id| live.any_message(interaction.channel_id, id)).collect()
}
