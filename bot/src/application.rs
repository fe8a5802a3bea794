//! The bot's application at Discord, and its owners.

use std::collections::BTreeSet;

use sdk::serenity;
use sdk::serenity::all::{ApplicationId, GuildId, Http, UserId};
use sdk::serenity::http::{HttpError, LightMethod, Request, Route};
use sdk::settings::Environment;
use sdk::tokio::time::sleep;
use sdk::tracing::warn;
use serde_json::Value;

use crate::api::cause;
use crate::backoff::BackOff;
use crate::failure::Failure;

/// Further attempts to reach Discord at the start.
const ATTEMPTS: u32 = 4;

/// The bot's application, as returned by Discord.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Application {
    pub(crate) id: ApplicationId,
    pub(crate) name: String,
    /// The owner, or the members of the owning team who may change the application.
    pub(crate) owners: BTreeSet<UserId>,
    /// Supported installation contexts (0 for guilds, 1 for users).
    pub(crate) installs: BTreeSet<u64>,
    /// Whether the server is this project's sandbox, which adds itself to `Via` as a gateway does.
    pub(crate) is_in_sandbox: bool,
}

impl Application {
    /// Requests the application from Discord, several times if it cannot be reached. This is the first request of a
    /// start, so a bad token shows here.
    pub(crate) async fn fetch(http: &Http, environment: Environment) -> Result<Self, Failure> {
        let mut waits = BackOff::new(ATTEMPTS, environment);
        loop {
            let request = Request::new(Route::Oauth2ApplicationCurrent, LightMethod::Get);
            let error = match answer(http, request).await {
                Ok((answer, is_in_sandbox)) => {
                    return Self::read(&answer, is_in_sandbox).ok_or_else(|| {
                        Failure::other(
                            "GET /oauth2/applications/@me was answered with something else; is \
                                        DISCORD_API_URL a Discord-compatible server?",
                        )
                    });
                }
                Err(error) => error,
            };
            if let serenity::Error::Http(HttpError::UnsuccessfulRequest(answer)) = &error
                && answer.status_code.as_u16() == 404
            {
                return Self::from_user(http).await;
            }
            let problem = problem(&error)?;
            let Some(wait) = waits.next() else {
                return Err(Failure::other(format!("The bot cannot start: {problem}.")));
            };
            warn!(problem, again_in_ms = wait.as_millis(), "Discord does not answer yet");
            sleep(wait).await;
        }
    }

    /// Uses the bot's user as its application, for servers without applications. All but the oldest bots have the same
    /// id for both.
    async fn from_user(http: &Http) -> Result<Self, Failure> {
        let user = http.get_current_user().await.map_err(|error| {
            Failure::other(format!("The bot cannot start, since it cannot learn who it is: {error}."))
        })?;
        warn!("this server tells nothing of applications; owner commands need OWNER_IDS");
        Ok(Self {
            id: ApplicationId::new(user.id.get()),
            name: user.name.clone(),
            owners: BTreeSet::new(),
            installs: BTreeSet::from([0]),
            is_in_sandbox: false,
        })
    }

    fn read(answer: &Value, is_in_sandbox: bool) -> Option<Self> {
        let id = |value: &Value| value.as_str()?.parse().ok().filter(|id: &u64| *id != 0);
        let team = &answer["team"];
        let mut owners = BTreeSet::new();
        if let Some(members) = team["members"].as_array() {
            // Invited people (state 1) and readers have no rights.
            let members = members.iter().filter(|member| {
                member["membership_state"].as_u64() == Some(2) && member["role"].as_str() != Some("read_only")
            });
            owners.extend(members.filter_map(|member| id(&member["user"]["id"])).map(UserId::new));
            owners.extend(id(&team["owner_user_id"]).map(UserId::new));
        } else {
            owners.extend(id(&answer["owner"]["id"]).map(UserId::new));
        }
        let configured = answer["integration_types_config"].as_object();
        let mut installs: BTreeSet<u64> =
            configured.into_iter().flat_map(|ways| ways.keys()).filter_map(|way| way.parse().ok()).collect();
        if installs.is_empty() {
            installs.insert(0);
        }
        Some(Self {
            id: ApplicationId::new(id(&answer["id"])?),
            name: answer["name"].as_str().unwrap_or_default().to_owned(),
            owners,
            installs,
            is_in_sandbox,
        })
    }
}

/// Sends a request. Returns the response body, and whether the sandbox sent it.
async fn answer(http: &Http, request: Request<'_>) -> serenity::Result<(Value, bool)> {
    let response = http.request(request).await?;
    let via = response.headers().get_all(reqwest::header::VIA).into_iter();
    let is_in_sandbox = via.filter_map(|via| via.to_str().ok()).any(|via| via.ends_with(" sandbox"));
    Ok((response.json().await?, is_in_sandbox))
}

/// Finds the guild for development commands if none is configured: the only one that the bot is in.
pub(crate) async fn only_guild(http: &Http) -> Result<GuildId, Failure> {
    let guilds = http.get_guilds(None, None).await.map_err(|error| {
        Failure::other(format!("The bot's guilds cannot be read: {error}; set TEST_GUILD_ID."))
    })?;
    match guilds.as_slice() {
        [guild] => Ok(guild.id),
        guilds => Err(Failure::configuration(format!(
            "TEST_GUILD_ID is not set, and the bot is in {} guilds; set it to the id of the one where commands are \
             tried out.",
            guilds.len()
        ))),
    }
}

/// Returns a description of an error that may be temporary, and fails for others.
pub(crate) fn problem(error: &serenity::Error) -> Result<String, Failure> {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(answer)) => match answer.status_code.as_u16() {
            401 => Err(Failure::configuration(
                "Discord does not know the token in DISCORD_TOKEN (401 Unauthorized): it was reset or is not a bot \
                 token; copy the present one from https://discord.com/developers/applications.",
            )),
            status @ (429 | 500..) => Ok(match answer.error.code {
                ..0 => format!("Discord answers {status}"),
                _ => answer.error.message.clone(),
            }),
            status => Err(Failure::other(format!(
                "Discord refuses {} {status}: {}.",
                answer.method, answer.error.message
            ))),
        },
        serenity::Error::Http(HttpError::Request(error)) => {
            Ok(format!("Discord cannot be reached: {}", cause(error)))
        }
        other => Err(Failure::other(format!("Discord's answer cannot be understood: {other}."))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_single_owner_owns_the_bot() {
        let application =
            Application::read(&json!({"id": "5", "name": "Bot", "owner": {"id": "7"}, "team": null}), false);
        let expected = Application {
            id: 5.into(),
            name: "Bot".into(),
            owners: [7.into()].into(),
            installs: [0].into(),
            is_in_sandbox: false,
        };
        assert_eq!(application, Some(expected));
    }

    #[test]
    fn a_team_owns_it_through_members_who_may_change_it() {
        let member = |id: &str, state: u8, role: &str| json!({"membership_state": state, "role": role, "user": {"id": id}});
        let application = Application::read(&json!({
            "id": "5", "name": "Bot",
            // Discord returns the team itself as owner here.
            "owner": {"id": "99"},
            "team": {"owner_user_id": "1", "members": [
                member("1", 2, ""), member("2", 2, "admin"), member("3", 2, "read_only"), member("4", 1, "admin")]},
            "integration_types_config": {"0": {}, "1": {}},
        }), false)
        .unwrap();
        assert_eq!(application.owners, [1.into(), 2.into()].into());
        assert_eq!(application.installs, [0, 1].into());
    }

    #[test]
    fn another_answer_is_not_taken_for_an_application() {
        assert_eq!(Application::read(&json!({"hello": "world"}), false), None);
    }
}
