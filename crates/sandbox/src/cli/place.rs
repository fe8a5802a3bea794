//! Members who join and leave, their permissions, and channels.

use clap::Args;
use sandbox::Client;
use serde_json::{Map, Value, json};

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct Join {
    /// Unique name or id.
    user: String,
    /// Guild by name or id.
    #[arg(long, default_value = "Sandbox")]
    guild: String,
}

pub(super) async fn join(client: &Client, join: Join) -> Result<Outcome, Failure> {
    let all = client.overview().await?;
    let known = all["users"].as_array().into_iter().flatten().any(|user| {
        user["username"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(&join.user))
            || user["id"] == join.user.as_str()
    });
    if !known {
        client.create_user(&join.user).await?;
    }
    client.join(&join.guild, &join.user).await?;
    terminal::line(&format!("{} is in {}.", join.user, join.guild))?;
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Locale {
    /// Unique name or id.
    user: String,
    /// Language as Discord names it, as in de or en-GB.
    locale: String,
}

pub(super) async fn locale(client: &Client, locale: Locale) -> Result<Outcome, Failure> {
    let set = client.edit_user(&locale.user, &json!({ "locale": locale.locale })).await?;
    let text = |field: &str| terminal::inline(set[field].as_str().unwrap_or_default());
    terminal::line(&format!("{}'s client is in {}.", text("username"), text("locale")))?;
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Leave {
    /// Unique name or id.
    user: String,
    /// Guild by name or id.
    #[arg(long, default_value = "Sandbox")]
    guild: String,
}

pub(super) async fn leave(client: &Client, leave: Leave) -> Result<Outcome, Failure> {
    client.leave(&leave.guild, &leave.user).await?;
    terminal::line(&format!("{} has left {}.", leave.user, leave.guild))?;
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Permit {
    /// Role by name or id; in a channel also a member, as @NAME.
    who: String,
    /// Channel by name or id; the whole guild unless given.
    #[arg(long = "in", value_name = "CHANNEL")]
    channel: Option<String>,
    /// Permissions to give, as in SPEAK,CONNECT.
    #[arg(long, value_name = "PERMISSIONS", value_delimiter = ',', required_unless_present_any = ["deny", "inherit"])]
    allow: Vec<String>,
    /// Permissions to take away.
    #[arg(long, value_name = "PERMISSIONS", value_delimiter = ',')]
    deny: Vec<String>,
    /// Permissions about which the channel is to say nothing.
    #[arg(long, value_name = "PERMISSIONS", value_delimiter = ',', requires = "channel")]
    inherit: Vec<String>,
    /// Guild by name or id.
    #[arg(long, default_value = "Sandbox")]
    guild: String,
}

pub(super) async fn permit(client: &Client, permit: Permit) -> Result<Outcome, Failure> {
    let Permit { who, channel, allow, deny, inherit, guild } = permit;
    let change = json!({ "allow": allow, "deny": deny, "inherit": inherit });
    let (set, place) = match &channel {
        Some(channel) => (client.edit_overwrite(&guild, channel, &who, &change).await?, channel),
        None => (client.edit_role(&guild, &who, &change).await?, &guild),
    };
    let names = |list: &Value| {
        let names: Vec<&str> = list.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if names.is_empty() { "nothing".to_owned() } else { terminal::inline(&names.join(" ")) }
    };
    terminal::line(&format!("{who} in {place}: allowed {}.", names(&set["allow"])))?;
    if channel.is_some() {
        terminal::line(&format!("{who} in {place}: denied {}.", names(&set["deny"])))?;
    }
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Change {
    /// Channel by name or id.
    channel: String,
    /// Its new name.
    #[arg(long, required_unless_present_any = ["topic", "user_limit", "slowmode"])]
    name: Option<String>,
    /// Its new topic.
    #[arg(long)]
    topic: Option<String>,
    /// People that a voice channel takes; 0 for any number.
    #[arg(long)]
    user_limit: Option<u32>,
    /// Seconds between two messages of one member; 0 for none.
    #[arg(long)]
    slowmode: Option<u32>,
    /// Guild by name or id.
    #[arg(long, default_value = "Sandbox")]
    guild: String,
}

pub(super) async fn channel(client: &Client, change: Change) -> Result<Outcome, Failure> {
    let fields = [
        ("name", change.name.map(Value::from)),
        ("topic", change.topic.map(Value::from)),
        ("user_limit", change.user_limit.map(Value::from)),
        ("rate_limit_per_user", change.slowmode.map(Value::from)),
    ];
    let fields = fields.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?)));
    let body = Value::Object(fields.collect::<Map<_, _>>());
    let shown = client.edit_channel(&change.guild, &change.channel, &body).await?;
    terminal::line(&format!("{} is changed.", terminal::inline(shown["name"].as_str().unwrap_or_default())))?;
    Ok(Outcome::Good)
}
