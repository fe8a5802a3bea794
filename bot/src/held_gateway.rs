//! The gateway that keeps the session with Discord while hosts come and go: in the supervisor, in the bot's own process,
//! or alone as `hotcord gateway`.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use gateway::client::Answers;
use gateway::{Discord, Gateway, Options};
use sdk::serenity::all::SessionStartLimit;
use sdk::tokio;
use sdk::tracing::info;
use serde_json::Value;

use crate::api::plain;
use crate::config::{ApiUrl, Config, Connection, GatewayUrl, HoldGateway, Source};
use crate::failure::Failure;
use crate::raw_events::Origin;
use crate::{log, shutdown, starts};

/// Variable with the address of the gateway that the supervisor holds, for its hosts.
const OF_SUPERVISOR: &str = "HOTCORD_GATEWAY";
/// Longest wait for GET /gateway/bot.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A host's side of a held gateway.
pub(crate) struct Held {
    /// The gateway, if it is in this process.
    here: Option<Gateway>,
    /// Reports which interactions are answered.
    pub(crate) answers: Answers,
    /// Where raw events come from.
    pub(crate) raw_events: Origin,
}

impl Held {
    /// Ends a gateway in this process, and the session with Discord.
    pub(crate) async fn shut_down(self) {
        if let Some(gateway) = self.here {
            gateway.shutdown().await;
        }
    }
}

/// Points the connection at the held gateway, which is started if it is to be in this process. Returns `None` if the
/// configuration has none.
pub(crate) async fn connect(config: &Config, connection: &mut Connection) -> Result<Option<Held>, Failure> {
    let of_supervisor = std::env::var(OF_SUPERVISOR).ok();
    let here = match (config.hold_gateway, &of_supervisor) {
        (HoldGateway::Off, _) => return Ok(None),
        (HoldGateway::Remote, _) if connection.gateway.is_none() => {
            return Err(Failure::configuration(
                "HOLD_GATEWAY is 'remote', but DISCORD_GATEWAY_URL is not set; set it to the address of `hotcord gateway`.",
            ));
        }
        (HoldGateway::Remote, _) | (HoldGateway::Here, Some(_)) => None,
        (HoldGateway::Here, None) => {
            Some(start(connection, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?)
        }
    };
    let address = match (config.hold_gateway, &here) {
        (HoldGateway::Here, Some(gateway)) => Some(gateway.url().to_owned()),
        (HoldGateway::Here, None) => of_supervisor,
        _ => None,
    };
    if let Some(address) = address {
        let url = GatewayUrl::parse(&address);
        connection.gateway = Some(url.map_err(|wrong| {
            Failure::other(format!("The supervisor's gateway is '{address}', which {wrong}."))
        })?);
    }
    let address = connection.gateway.as_ref().map_or("", GatewayUrl::as_str);
    let answers = Answers::connect(address, connection.token.expose()).await;
    let raw_events = Origin { gateway: address.to_owned(), token: connection.token.clone() };
    Ok(Some(Held { here, answers, raw_events }))
}

/// Starts a gateway in front of the configured connection.
async fn start(connection: &Connection, listen: SocketAddr) -> Result<Gateway, Failure> {
    let connection = connection.clone();
    let token = connection.token.expose().to_owned();
    let find = Arc::new(move || -> std::pin::Pin<Box<dyn Future<Output = _> + Send>> {
        let connection = connection.clone();
        Box::pin(async move { find(&connection).await })
    });
    let gateway = Gateway::start(Options { listen, ..Options::new(token, find) })
        .await
        .map_err(|error| Failure::other(format!("The gateway cannot listen on {listen}: {error}.")))?;
    info!(address = gateway.url(), "the gateway holds the session with Discord");
    Ok(gateway)
}

/// Requests the address of Discord's gateway, and waits until a session may be started.
async fn find(connection: &Connection) -> Result<Discord, String> {
    let api = connection.api.clone().unwrap_or_else(ApiUrl::discord);
    if !connection.plain {
        plain::check(&api.to_string(), "DISCORD_API_URL").await.map_err(|error| error.to_string())?;
    }
    let url = api.join("/api/v10/gateway/bot").map_err(|error| error.to_string())?;
    let client =
        reqwest::Client::builder().timeout(ANSWER_WITHIN).build().map_err(|error| error.to_string())?;
    let (found, max_concurrency) = loop {
        let request =
            client.get(url.clone()).header("authorization", format!("Bot {}", connection.token.expose()));
        let response = request.send().await.and_then(reqwest::Response::error_for_status);
        let answer: Value = match response {
            Ok(response) => response.json().await.map_err(|error| error.to_string())?,
            Err(error) => return Err(format!("GET /gateway/bot failed: {error}")),
        };
        let limit: SessionStartLimit = serde_json::from_value(answer["session_start_limit"].clone())
            .map_err(|error| format!("the answer to GET /gateway/bot cannot be read: {error}"))?;
        let Some(wait) = starts::wait(1, &limit) else {
            break (answer["url"].as_str().unwrap_or_default().to_owned(), limit.max_concurrency);
        };
        starts::tell_wait(&limit, wait);
        tokio::time::sleep(wait).await;
    };
    let url = connection.gateway.as_ref().map_or(found, |gateway| gateway.as_str().to_owned());
    if !connection.plain {
        plain::check(&url, "The gateway's address (DISCORD_GATEWAY_URL, or what the server names)")
            .await
            .map_err(|error| error.to_string())?;
    }
    Ok(Discord { url, max_concurrency: max_concurrency.try_into().unwrap_or(u16::MAX) })
}

/// A gateway in the supervisor's process, on threads of its own.
#[cfg(feature = "hmr")]
pub(crate) struct OfSupervisor {
    runtime: tokio::runtime::Runtime,
    gateway: Gateway,
}

#[cfg(feature = "hmr")]
impl OfSupervisor {
    /// Starts the gateway, if the configuration has one.
    pub(crate) fn start(config: &Config) -> Result<Option<Self>, Failure> {
        let (HoldGateway::Here, Some(connection)) = (config.hold_gateway, &config.connection) else {
            return Ok(None);
        };
        // The supervisor logs nothing else by this way.
        let _ = log::start(&config.log_filter);
        log::redact::hide(connection.token.expose());
        let runtime = runtime()?;
        let gateway = runtime.block_on(start(connection, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))?;
        Ok(Some(Self { runtime, gateway }))
    }

    /// Returns the variable by which hosts find it.
    pub(crate) fn variable(&self) -> (std::ffi::OsString, std::ffi::OsString) {
        (OF_SUPERVISOR.into(), self.gateway.url().into())
    }

    /// Ends the gateway, and the session with Discord.
    pub(crate) fn shut_down(self) {
        self.runtime.block_on(self.gateway.shutdown());
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::other(format!("No threads can be started on this machine: {error}.")))
}

/// `hotcord gateway`: holds the session for bots in other processes until a signal ends it.
pub(crate) fn run_alone() -> Result<ExitCode, Failure> {
    let config = Source::read().and_then(|source| source.config()).map_err(Failure::configuration)?;
    let _refusals = log::start(&config.log_filter);
    let Some(connection) = config.connection else {
        return Err(Failure::configuration(
            "DISCORD_TOKEN is not set, and `hotcord gateway` has no local Discord.",
        ));
    };
    log::redact::hide(connection.token.expose());
    runtime()?.block_on(async {
        let gateway = start(&connection, config.gateway_address).await?;
        shutdown::signal().await;
        gateway.shutdown().await;
        Ok(ExitCode::SUCCESS)
    })
}
