//! Actions of users: say, use, press, choose, submit, send, react.

use std::time::Duration;

use clap::Args;
use sandbox::Client;
use sandbox::client::Run;
use sandbox::snowflake::Snowflake;
use serde_json::{Map, Value, json};

use super::{Failure, Outcome, answer, terminal};

/// Who acts and where.
#[derive(Debug, Args)]
pub(super) struct Who {
    /// User who acts.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    pub(super) user: String,
    /// Channel by name or id, or @NAME for direct messages with that account.
    #[arg(long, default_value = "bot-test")]
    pub(super) channel: String,
    /// Guild in which the channel is looked up; the oldest unless given.
    #[arg(long)]
    pub(super) guild: Option<String>,
}

/// How the answer is waited for and shown.
#[derive(Debug, Args)]
pub(super) struct How {
    /// Print the answer as one JSON object.
    #[arg(long)]
    json: bool,
    /// Seconds to wait for a deferred answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    wait: f64,
    /// Seconds to look on after the answer, so that followups are shown too.
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
    settle: f64,
}

impl How {
    fn apply(&self, run: Run) -> Run {
        run.deadline(seconds(self.wait)).settle(seconds(self.settle))
    }

    fn fields(&self, mut body: Value) -> Value {
        body["deadline_ms"] = json!(u64::try_from(seconds(self.wait).as_millis()).unwrap_or(u64::MAX));
        body["settle_ms"] = json!(u64::try_from(seconds(self.settle).as_millis()).unwrap_or(u64::MAX));
        body
    }
}

fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or(Duration::ZERO)
}

#[derive(Debug, Args)]
pub(super) struct Say {
    /// The command as typed, as in '/poll question:"tea or coffee?"'. Attachments are given by path.
    #[arg(required = true)]
    text: Vec<String>,
    #[command(flatten)]
    who: Who,
    /// Bot whose command it is, where several have one of that name.
    #[arg(long)]
    bot: Option<String>,
    #[command(flatten)]
    how: How,
}

impl Say {
    fn command(&self) -> Run {
        // Without quotes in the shell, the words arrive as separate arguments.
        let mut text = self.text.join(" ").trim().to_owned();
        if !text.starts_with('/') {
            text.insert(0, '/');
        }
        let run = Run::typed(&text).by(&self.who.user).at(&self.who.channel);
        let run = with_files(self.how.apply(run), &text);
        let run = match &self.who.guild {
            Some(guild) => run.in_guild(guild),
            None => run,
        };
        match &self.bot {
            Some(bot) => run.of(bot),
            None => run,
        }
    }
}

/// Adds the files that the text may name: values of options that are paths of files.
fn with_files(mut run: Run, text: &str) -> Run {
    for part in text.split_whitespace() {
        let Some((_, value)) = part.split_once(':') else { continue };
        let path = value.trim_matches('"');
        if let Ok(bytes) = std::fs::read(path) {
            run = run.file(path, &bytes);
        }
    }
    run
}

pub(super) async fn say(client: &Client, say: Say) -> Result<Outcome, Failure> {
    let seen = client.run(say.command()).await?;
    answer::show(&seen, say.how.json)
}

pub(super) async fn complete(client: &Client, say: Say) -> Result<Outcome, Failure> {
    let seen = client.complete(say.command()).await?;
    answer::show(&seen, say.how.json)
}

#[derive(Debug, Args)]
pub(super) struct Use {
    /// Name of the user command or message command.
    name: String,
    /// A user by name or id, or a message by id.
    target: String,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    how: How,
}

pub(super) async fn on(client: &Client, on: Use) -> Result<Outcome, Failure> {
    let run = on.how.apply(Run::on(on.name, on.target).by(on.who.user).at(on.who.channel));
    let seen = client.run(run).await?;
    answer::show(&seen, on.how.json)
}

#[derive(Debug, Args)]
pub(super) struct Press {
    /// Message with the button.
    message: Snowflake,
    /// What is written on the button, or its custom id.
    button: String,
    /// User who presses it.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
    #[command(flatten)]
    how: How,
}

pub(super) async fn press(client: &Client, press: Press) -> Result<Outcome, Failure> {
    use_component(client, &press.user, press.message, &press.button, &[], &press.how).await
}

#[derive(Debug, Args)]
pub(super) struct Choose {
    /// Message with the menu.
    message: Snowflake,
    /// Placeholder of the menu, or its custom id.
    menu: String,
    /// What to choose: labels or values, or names of users, roles and channels.
    values: Vec<String>,
    /// User who chooses.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
    #[command(flatten)]
    how: How,
}

pub(super) async fn choose(client: &Client, choose: Choose) -> Result<Outcome, Failure> {
    use_component(client, &choose.user, choose.message, &choose.menu, &choose.values, &choose.how).await
}

/// Uses a component by custom id if the message has it, otherwise by its label.
async fn use_component(
    client: &Client,
    user: &str,
    message: Snowflake,
    name: &str,
    values: &[String],
    how: &How,
) -> Result<Outcome, Failure> {
    let asked = json!({ "as": user, "message": message, "component": name, "values": values });
    let seen = client.component(&how.fields(asked)).await?;
    answer::show(&seen, how.json)
}

#[derive(Debug, Args)]
pub(super) struct Submit {
    /// Interaction that opened the modal, as `say` and `press` show it.
    interaction: Snowflake,
    /// Inputs as CUSTOM_ID=TEXT; repeat one for several values.
    values: Vec<String>,
    #[command(flatten)]
    how: How,
}

pub(super) async fn submit(client: &Client, submit: Submit) -> Result<Outcome, Failure> {
    let mut values = Map::new();
    for pair in &submit.values {
        let (id, text) = pair
            .split_once('=')
            .ok_or_else(|| Failure(format!("\"{pair}\" is no input; write it as CUSTOM_ID=TEXT")))?;
        let value = match values.remove(id) {
            None => json!(text),
            Some(Value::Array(mut list)) => {
                list.push(json!(text));
                list.into()
            }
            Some(first) => json!([first, text]),
        };
        values.insert(id.to_owned(), value);
    }
    let asked = submit.how.fields(json!({ "interaction": submit.interaction, "values": values }));
    let seen = client.modal(&asked).await?;
    answer::show(&seen, submit.how.json)
}

#[derive(Debug, Args)]
pub(super) struct Send {
    /// Text of the message.
    content: String,
    #[command(flatten)]
    who: Who,
    /// Sticker to send with it, by id; up to three.
    #[arg(long = "sticker", value_name = "ID")]
    stickers: Vec<Snowflake>,
    /// Print the message as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn send(client: &Client, send: Send) -> Result<Outcome, Failure> {
    let message =
        client.send_stickers(&send.who.user, &send.who.channel, &send.content, &send.stickers).await?;
    if send.json {
        terminal::json_line(&message)?;
    } else {
        terminal::line(&terminal::inline(message["id"].as_str().unwrap_or_default()))?;
    }
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct React {
    /// Message to react to.
    message: Snowflake,
    /// Emoji: the character, or name:id of a guild's.
    emoji: String,
    /// User who reacts.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
    /// Take the reaction away instead.
    #[arg(long)]
    remove: bool,
}

pub(super) async fn react(client: &Client, react: React) -> Result<Outcome, Failure> {
    if react.remove {
        client.unreact(&react.user, react.message, &react.emoji).await?;
    } else {
        client.react(&react.user, react.message, &react.emoji).await?;
    }
    Ok(Outcome::Good)
}
