//! Running one row.

use std::io;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::foreign;
use super::plugin::{Place, Sabotage};
use super::pulse::{Asked, Pulse};
use super::row::{After, Fault, Row};
use super::stage::Stage;
use crate::bot::PATIENCE;

/// The outcome of a row.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Name of the row.
    pub tried: &'static str,
    /// What was observed: the line that names the cause.
    pub observed: String,
    /// Which version answers and how fast, or how soon the host was back.
    pub answers: String,
    /// Time without answers, if the host died.
    pub back: Option<Duration>,
    /// Unexpected results.
    pub wrong: Vec<String>,
    /// Why it could not be run here.
    pub skipped: Option<String>,
}

impl Outcome {
    /// Creates an outcome without observations.
    pub fn of(tried: &'static str) -> Self {
        Self {
            tried,
            observed: String::new(),
            answers: String::new(),
            back: None,
            wrong: Vec::new(),
            skipped: None,
        }
    }

    /// Returns it as JSON.
    pub fn to_json(&self) -> Value {
        json!({
            "tried": self.tried,
            "observed": self.observed,
            "answers": self.answers,
            "wrong": self.wrong,
            "skipped": self.skipped,
        })
    }

    /// Returns it as a line of the table.
    pub fn to_line(&self) -> String {
        let state = match (&self.skipped, self.wrong.is_empty()) {
            (Some(_), _) => "skipped",
            (None, true) => "ok",
            (None, false) => "FAILED",
        };
        let observed = self.skipped.as_deref().unwrap_or(&self.observed);
        let mut line =
            format!("{state:<8}{:<44}| {:<100} | {}", self.tried, cut(observed, 100), self.answers);
        for wrong in &self.wrong {
            line += &format!("\n        {wrong}");
        }
        line
    }
}

fn cut(words: &str, most: usize) -> String {
    if words.chars().count() <= most {
        return words.to_owned();
    }
    words.chars().take(most - 3).chain("...".chars()).collect()
}

/// Runs a row and repairs what it broke. Returns the outcome.
///
/// # Errors
/// If the stage cannot be used for another row, with the host's log.
pub async fn run(row: &Row, stage: &mut Stage) -> io::Result<Outcome> {
    stage.from = stage.bot()?.line_count();
    let mut outcome = Outcome::of(row.name);
    let identified = stage.count(sandbox::event_log::Kind::Identified);
    let began = Instant::now();
    // If the host goes down, only the scenario's users run commands.
    let pulse = (row.after != After::HostIsBack).then(|| Pulse::start(&stage.sandbox, "/pulse"));
    let new = stage.new_answer();
    let too_far = async {
        match &pulse {
            Some(pulse) if row.after == After::OldAnswers => pulse.answers(&new, Duration::MAX).await,
            _ => std::future::pending().await,
        }
    };
    let struck = tokio::select! {
        struck = strike(row, stage, &mut outcome) => struck,
        _ = too_far => Err(io::Error::other("the new code has gone live")),
    };
    match struck {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::Unsupported => outcome.skipped = Some(error.to_string()),
        Err(error) => outcome.wrong.push(error.to_string()),
    }
    if let Some(pulse) = pulse {
        let expected = if row.after == After::NewAnswers { stage.new_answer() } else { stage.old_answer() };
        if outcome.skipped.is_none() && !pulse.answers(&expected, PATIENCE).await {
            outcome.wrong.push(format!("afterwards nobody answers {expected:?}"));
        }
        let asked = pulse.stop().await;
        if row.after == After::OldAnswers {
            let new = stage.new_answer();
            if asked.iter().any(|asked| asked.seen.as_deref() == Ok(&new)) {
                outcome.wrong.push(format!("the new code has answered: {new}"));
            }
        }
        outcome.answers += &account(&asked, row.after, began, &stage.said(), &mut outcome.wrong);
        if stage.count(sandbox::event_log::Kind::Identified) != identified {
            outcome.wrong.push("the bot has identified anew: its session was lost".to_owned());
        }
    }
    if stage.said().iter().any(|line| line.contains(stage.sandbox.token())) {
        outcome.wrong.push("the token is in the log".to_owned());
    }
    stage.mend(row.wears_out_the_host()).await?;
    Ok(outcome)
}

/// Causes the row's fault and waits for the expected log messages.
async fn strike(row: &Row, stage: &mut Stage, outcome: &mut Outcome) -> io::Result<()> {
    match row.fault {
        Fault::Sabotage(place, sabotage) => {
            stage.save_next(Some((place, sabotage)))?;
            if row.after == After::HostIsBack {
                stage.live().await?;
                fell(row, stage, place, outcome).await?;
            }
            if matches!(row.after, After::NewAnswers | After::OldIsBack) {
                stage.live().await?;
                if place == Place::Stop {
                    stage.succeed().await?;
                }
                if let Some(problem) = provoke(stage, place, sabotage).await? {
                    outcome.wrong.push(problem);
                }
            }
        }
        Fault::Edit { file, from, to } => {
            stage.edit(file, from, to)?;
        }
        Fault::Spoil(words) => {
            stage.programs.after_linking(words)?;
            stage.save_next(None)?;
        }
        Fault::Foreign(origin) => {
            let folder = stage.playground.path("target/foreign");
            std::fs::create_dir_all(&folder)?;
            let library = foreign::build(origin, &folder)?;
            stage.programs.after_linking(&format!("cp '{}' \"$library\"", library.display()))?;
            stage.save_next(None)?;
        }
        Fault::Scenario(run) => {
            let seen = run(stage).await?;
            outcome.observed = seen.observed.unwrap_or_default();
            outcome.answers = seen.answers.unwrap_or_default();
        }
    }
    for words in row.told {
        stage.told(words).await?;
    }
    if outcome.observed.is_empty() {
        most_telling(&stage.said(), row.told).clone_into(&mut outcome.observed);
    }
    Ok(())
}

/// Lets a user trigger the crash of the host, and waits until the host is back.
async fn fell(row: &Row, stage: &mut Stage, place: Place, outcome: &mut Outcome) -> io::Result<()> {
    // The call gets no answer; the log names what was running.
    let provoked = provoke(stage, place, Sabotage::Abort);
    let _ = tokio::time::timeout(Duration::from_secs(10), provoked).await;
    for words in row.told {
        stage.told(words).await?;
    }
    let back = stage.back().await?;
    outcome.answers = format!("host back in {} ms", back.as_millis());
    outcome.back = Some(back);
    Ok(())
}

/// Acts as a user so that the place's code runs. Returns what is wrong with the answer.
pub(super) async fn provoke(
    stage: &mut Stage,
    place: Place,
    sabotage: Sabotage,
) -> io::Result<Option<String>> {
    let failed = |error: sandbox::client::Error| io::Error::other(error.to_string());
    let client = stage.sandbox.client();
    let answer = match place {
        Place::Command => stage.say("/sabotage").await?,
        Place::Component => {
            let board = stage.say("/board").await?;
            let message = board.message.as_ref().and_then(|message| message["id"].as_str()?.parse().ok());
            client.press("bob", message.unwrap_or_default(), "faulty:1").await.map_err(failed)?
        }
        Place::Listener => {
            client.send("bob", "bot-test", "Is anyone there?").await.map_err(failed)?;
            return Ok(None);
        }
        Place::Timer => {
            stage.say("/later").await?;
            return Ok(None);
        }
        // These run without a user.
        Place::Constructor
        | Place::Commands
        | Place::Subscriptions
        | Place::Start
        | Place::Stop
        | Place::Task => {
            return Ok(None);
        }
    };
    let words = answer.error.unwrap_or(answer.content);
    let is_told = answer.callbacks == 1 && answer.ephemeral && !words.is_empty();
    Ok((!is_told && sabotage == Sabotage::Panic)
        .then(|| format!("the user is not told of the failure, but sees {words:?}")))
}

/// Returns a summary of what users saw. Lost calls have to be named in the log.
fn account(
    asked: &[Asked],
    after: After,
    began: Instant,
    said: &[String],
    wrong: &mut Vec<String>,
) -> String {
    let sent: Vec<_> =
        asked.iter().filter(|asked| asked.interaction.is_some() && asked.at >= began).collect();
    let answered = sent.iter().filter(|asked| asked.seen.is_ok()).count();
    for asked in &sent {
        let id = asked.interaction.as_deref().unwrap_or_default();
        if asked.callbacks > 1 {
            wrong.push(format!("interaction {id} was answered {} times", asked.callbacks));
        }
        if let (Err(error), false) = (&asked.seen, said.iter().any(|line| line.contains(id))) {
            wrong.push(format!("interaction {id} was lost ({error}) and the log does not name it"));
        }
    }
    let slowest = sent.iter().map(|asked| asked.took).max().unwrap_or(Duration::ZERO);
    let whose = if after == After::NewAnswers { "new" } else { "old" };
    format!("{whose} code answers, {answered} of {}, slowest {} ms", sent.len(), slowest.as_millis())
}

/// Returns the first of the lines that contain most of the words. Messages of the host take precedence over those of a
/// compiler.
fn most_telling<'a>(lines: &'a [String], words: &[&str]) -> &'a str {
    let telling = |line: &&String| {
        (words.iter().filter(|words| line.contains(**words)).count(), line.contains(" failed plugin="))
    };
    lines.iter().rev().max_by_key(telling).map_or("", |line| plain(line))
}

/// Returns a line of the log without time, level and module.
fn plain(line: &str) -> &str {
    ["ERROR ", "WARN ", "INFO "]
        .iter()
        .find_map(|level| line.split_once(level).map(|(_, rest)| rest))
        .map_or(line, |rest| rest.split_once(": ").map_or(rest, |(_, words)| words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(interaction: &str, seen: Result<&str, &str>, callbacks: u32) -> Asked {
        Asked {
            at: Instant::now(),
            seen: seen.map(str::to_owned).map_err(str::to_owned),
            interaction: Some(interaction.to_owned()),
            callbacks,
            took: Duration::from_millis(7),
        }
    }

    #[test]
    fn what_is_lost_unnamed_or_answered_twice_is_wrong() {
        let began = Instant::now();
        let all = [
            asked("1", Ok("v"), 1),
            asked("2", Err("no answer"), 0),
            asked("3", Err("no answer"), 0),
            asked("4", Ok("v"), 2),
        ];
        let mut wrong = Vec::new();
        let words = account(&all, After::OldAnswers, began, &["lost: 2".to_owned()], &mut wrong);
        assert_eq!(words, "old code answers, 2 of 4, slowest 7 ms");
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(
            wrong[0].starts_with("interaction 3 was lost") && wrong[1].contains("4 was answered 2 times")
        );
    }

    #[test]
    fn a_line_of_the_log_is_cut_to_its_words() {
        assert_eq!(
            plain("12:00:01.5 ERROR hmr::engine: reload failed plugin=commands/a live=1 error=b"),
            "reload failed plugin=commands/a live=1 error=b"
        );
        assert_eq!(plain("bare words"), "bare words");
    }
}
