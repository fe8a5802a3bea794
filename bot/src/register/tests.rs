//! The registrar with a server that keeps commands as Discord does.

use std::net::Ipv4Addr;
use std::sync::Mutex;

use axum::extract::{Path, State as Shared};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};
use sdk::generation::Generation;
use sdk::registry::Change;
use sdk::serenity::all::GuildId;
use sdk::settings::{Environment, Settings};
use sdk::tokio::net::TcpListener;
use sdk::tokio::sync::Notify;
use sdk::{Command, Plugin, PluginEntry};
use serde_json::json;

use super::*;
use crate::api::Api;
use crate::config::{ApiUrl, Token};

/// Commands of one guild, the writes received, and responses to send instead of success.
#[derive(Clone, Default)]
struct Discord(Arc<Inner>);

#[derive(Default)]
struct Inner {
    commands: Mutex<Vec<Value>>,
    writes: Mutex<Vec<String>>,
    faults: Mutex<Vec<(Method, StatusCode, Value)>>,
    wrote: Notify,
}

impl Discord {
    fn fault(&self, method: &Method) -> Option<Response> {
        let mut faults = self.0.faults.lock().unwrap();
        let at = faults.iter().position(|fault| fault.0 == *method)?;
        let (_, status, body) = faults.remove(at);
        Some((status, Json(body)).into_response())
    }

    fn wrote(&self, line: String) {
        self.0.writes.lock().unwrap().push(line);
        self.0.wrote.notify_one();
    }

    fn next_fault(&self, method: Method, status: u16, body: Value) {
        self.0.faults.lock().unwrap().push((method, StatusCode::from_u16(status).unwrap(), body));
    }

    fn writes(&self) -> Vec<String> {
        std::mem::take(&mut self.0.writes.lock().unwrap())
    }

    async fn wait_for_writes(&self, count: usize) -> Vec<String> {
        while self.0.writes.lock().unwrap().len() < count {
            self.0.wrote.notified().await;
        }
        self.writes()
    }

    /// Starts a server and returns a client for it.
    async fn serve(&self) -> (Api, Arc<Http>) {
        let list = async |Shared(discord): Shared<Discord>| {
            discord
                .fault(&Method::GET)
                .unwrap_or_else(|| Json(discord.0.commands.lock().unwrap().clone()).into_response())
        };
        let create = async |Shared(discord): Shared<Discord>, Json(mut command): Json<Value>| {
            let name = command["name"].as_str().unwrap().to_owned();
            discord.wrote(format!("POST {name}"));
            if let Some(fault) = discord.fault(&Method::POST) {
                return fault;
            }
            let mut commands = discord.0.commands.lock().unwrap();
            let before = commands.len();
            commands.retain(|other| other["name"] != name.as_str());
            let status = if commands.len() < before { StatusCode::OK } else { StatusCode::CREATED };
            command["id"] = (commands.len() + 100).to_string().into();
            commands.push(command.clone());
            (status, Json(command)).into_response()
        };
        let remove = async |Shared(discord): Shared<Discord>, Path((_, _, id)): Path<(u64, u64, String)>| {
            discord.wrote(format!("DELETE {id}"));
            if let Some(fault) = discord.fault(&Method::DELETE) {
                return fault;
            }
            discord.0.commands.lock().unwrap().retain(|command| command["id"] != id.as_str());
            StatusCode::NO_CONTENT.into_response()
        };
        let router = Router::new()
            .route("/api/v10/applications/{a}/guilds/{g}/commands", get(list).post(create))
            .route("/api/v10/applications/{a}/guilds/{g}/commands/{c}", delete(remove))
            .route("/api/v10/applications/{a}/commands", get(async || Json(json!([]))))
            .with_state(self.clone());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let target = ApiUrl::parse(&url).unwrap();
        let api = Api::new(Token::parse("token", false).unwrap(), target.as_ref(), false).await.unwrap();
        let http = Arc::new(api.http());
        (api, http)
    }
}

fn command(name: &'static str, description: &'static str) -> Command {
    Command {
        name: name.into(),
        description: Some(description.into()),
        slash_action: Some(|_| Box::pin(async { Ok(()) })),
        ..Command::default()
    }
}

struct Sample(Vec<(&'static str, &'static str)>);

impl Plugin for Sample {
    fn commands(&self) -> Vec<Command> {
        self.0.iter().map(|(name, description)| command(name, description)).collect()
    }
}

macro_rules! entry {
    ($($command:expr),*) => {
        PluginEntry::new("commands-sample", "1.0.0", "", || Box::new(Sample(vec![$($command),*])))
    };
}

fn swap(host: &Host, entry: &PluginEntry) {
    let number = host.registry().next_number(&entry.id());
    let generation = Generation::new(entry, number, host).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert!(host.registry().swap(Change { install: vec![generation], remove: Vec::new() }).is_ok());
}

/// Creates a registrar for the scope that removes commands without a grace period.
fn registrar_in(scope: CommandScope, host: &Host, api: &Api, http: &Arc<Http>) -> Registrar {
    let development = Some(Development { guild: GuildId::new(6), scope, grace: Duration::ZERO });
    let layout = Layout { development, installs: BTreeSet::from([0, 1]) };
    Registrar::new(host.clone(), api, http.clone(), ApplicationId::new(5), layout, BTreeSet::new())
}

fn registrar(host: &Host, api: &Api, http: &Arc<Http>) -> Registrar {
    registrar_in(CommandScope::Guild, host, api, http)
}

/// Creates a registrar with the grace period `grace`.
fn keeping(grace: Duration, host: &Host, api: &Api, http: &Arc<Http>) -> Registrar {
    let mut registrar = registrar(host, api, http);
    registrar.layout.development.as_mut().unwrap().grace = grace;
    registrar
}

async fn register_once(registrar: &mut Registrar) {
    let mut swaps = registrar.host.registry().swaps();
    registrar.register(&mut swaps).await;
}

fn host() -> Host {
    Host::new("1.0.0", Settings { environment: Environment::Testing, ..Settings::default() })
}

#[tokio::test]
async fn a_second_start_writes_nothing() {
    let discord = Discord::default();
    discord.0.commands.lock().unwrap().push(json!({"id": "7", "type": 1, "name": "old", "description": "x"}));
    discord
        .0
        .commands
        .lock()
        .unwrap()
        .push(json!({"id": "8", "type": 4, "name": "launch", "description": ""}));
    let (api, http) = discord.serve().await;
    let host = host();
    swap(&host, &entry!(("ping", "Pong"), ("help", "Helps")));
    register_once(&mut registrar(&host, &api, &http)).await;
    assert_eq!(discord.writes(), ["DELETE 7", "POST help", "POST ping"]);
    register_once(&mut registrar(&host, &api, &http)).await;
    assert_eq!(discord.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn swaps_write_only_what_they_redefine() {
    let discord = Discord::default();
    let (api, http) = discord.serve().await;
    let host = host();
    swap(&host, &entry!(("ping", "Pong"), ("help", "Helps")));
    let running = tokio::spawn(registrar(&host, &api, &http).run());
    assert_eq!(discord.wait_for_writes(2).await, ["POST help", "POST ping"]);
    // The same definitions again, as after an edit of a body; then a different one, in a burst.
    swap(&host, &entry!(("ping", "Pong"), ("help", "Helps")));
    swap(&host, &entry!(("ping", "In between"), ("help", "Helps")));
    swap(&host, &entry!(("ping", "Pong!"), ("help", "Helps")));
    assert_eq!(discord.wait_for_writes(1).await, ["POST ping"]);
    let registered =
        discord.0.commands.lock().unwrap().iter().find(|c| c["name"] == "ping").cloned().unwrap();
    assert_eq!(registered["description"], "Pong!");
    swap(&host, &entry!(("help", "Helps")));
    assert_eq!(discord.wait_for_writes(1).await, ["DELETE 101"]);
    running.abort();
}

#[tokio::test]
async fn a_passing_failure_is_tried_again_within_bounds() {
    let discord = Discord::default();
    let (api, http) = discord.serve().await;
    let host = host();
    swap(&host, &entry!(("ping", "Pong")));
    discord.next_fault(Method::GET, 503, json!({}));
    discord.next_fault(Method::POST, 500, json!({"code": 0, "message": "500: Internal Server Error"}));
    let mut one = registrar(&host, &api, &http);
    register_once(&mut one).await;
    assert_eq!(discord.writes(), ["POST ping", "POST ping"]);
    for _ in 0..9 {
        discord.next_fault(Method::POST, 502, json!({}));
    }
    swap(&host, &entry!(("ping", "Pong!")));
    register_once(&mut one).await;
    assert_eq!(discord.writes().len(), 1 + ATTEMPTS as usize);
}

#[tokio::test]
async fn a_refused_command_is_not_sent_again_until_it_changes_and_holds_up_no_other() {
    let discord = Discord::default();
    let (api, http) = discord.serve().await;
    let host = host();
    swap(&host, &entry!(("bad", "Bad"), ("good", "Good")));
    discord.next_fault(Method::POST, 400, json!({"code": 50035, "message": "Invalid Form Body"}));
    let mut one = registrar(&host, &api, &http);
    register_once(&mut one).await;
    assert_eq!(discord.writes(), ["POST bad", "POST good"]);
    register_once(&mut one).await;
    assert_eq!(discord.writes(), Vec::<String>::new());
    swap(&host, &entry!(("bad", "Better"), ("good", "Good")));
    register_once(&mut one).await;
    assert_eq!(discord.writes(), ["POST bad"]);
}

#[tokio::test]
async fn when_the_day_is_used_up_redefinitions_go_on() {
    let discord = Discord::default();
    let (api, http) = discord.serve().await;
    let host = host();
    swap(&host, &entry!(("zebra", "Z")));
    let mut one = registrar(&host, &api, &http);
    register_once(&mut one).await;
    discord.writes();
    discord.next_fault(Method::POST, 400, json!({"code": 30034, "message": "Max number of daily application command creates has been reached (200)"}));
    swap(&host, &entry!(("a", "A"), ("b", "B"), ("zebra", "Z!")));
    register_once(&mut one).await;
    assert_eq!(discord.writes(), ["POST a", "POST zebra"]);
    let creations = host.creations().swap_remove(0);
    assert_eq!(creations.used, 1, "zebra; redefining it does not count");
    assert!(creations.possible_in_ms.unwrap() > 23 * 3_600_000, "a day after the first");
}

#[tokio::test]
async fn discords_own_wait_is_told_at_once_and_what_was_new_follows_after_it() {
    let discord = Discord::default();
    let (api, http) = discord.serve().await;
    let host = host();
    swap(&host, &entry!(("a", "A")));
    discord.next_fault(Method::POST, 429, json!({"code": 30034, "message": "x", "retry_after": 7200.0}));
    let mut one = registrar(&host, &api, &http);
    register_once(&mut one).await;
    let wait = host.creations().swap_remove(0).possible_in_ms.unwrap();
    assert!(wait <= 7_200_000 && wait > 7_000_000, "{wait}");
    // No new command is sent before, and the rest continues.
    swap(&host, &entry!(("a", "A"), ("b", "B")));
    register_once(&mut one).await;
    assert_eq!(discord.writes(), ["POST a"]);

    discord.next_fault(Method::POST, 429, json!({"code": 30034, "message": "x", "retry_after": 0.2}));
    let running = tokio::spawn(registrar(&host, &api, &http).run());
    assert_eq!(discord.wait_for_writes(3).await, ["POST a", "POST a", "POST b"]);
    running.abort();
}

#[tokio::test]
async fn a_short_wait_is_waited_for() {
    let discord = Discord::default();
    let (api, http) = discord.serve().await;
    let host = host();
    swap(&host, &entry!(("a", "A")));
    discord.next_fault(
        Method::POST,
        429,
        json!({"code": 0, "message": "You are being rate limited.", "retry_after": 0.05}),
    );
    register_once(&mut registrar(&host, &api, &http)).await;
    assert_eq!(discord.writes(), ["POST a", "POST a"]);
    assert_eq!(host.creations().swap_remove(0).used, 1);
}

#[tokio::test]
async fn what_discord_allows_in_a_day_is_counted_over_restarts_of_the_registrar() {
    let discord = Discord::default();
    let (api, http) = discord.serve().await;
    let host = host();
    swap(&host, &entry!(("a", "A"), ("b", "B")));
    register_once(&mut registrar(&host, &api, &http)).await;
    swap(&host, &entry!(("a", "changed"), ("b", "B"), ("c", "C")));
    register_once(&mut registrar(&host, &api, &http)).await;
    let creations = host.creations().swap_remove(0);
    assert_eq!((creations.used, creations.limit, creations.scope.as_str()), (3, 200, "guild 6"));
}

#[tokio::test]
async fn commands_of_a_plugin_that_was_left_out_stay_registered() {
    let discord = Discord::default();
    discord
        .0
        .commands
        .lock()
        .unwrap()
        .push(json!({"id": "7", "type": 1, "name": "play", "description": "x"}));
    let (api, http) = discord.serve().await;
    let host = host();
    let mut one = registrar(&host, &api, &http);
    one.left_out.insert(PluginId::new("commands/sample"));
    register_once(&mut one).await;
    assert_eq!(discord.writes(), Vec::<String>::new());
    swap(&host, &entry!(("ping", "Pong")));
    register_once(&mut one).await;
    assert_eq!(discord.writes(), ["DELETE 7", "POST ping"]);
}

#[tokio::test]
async fn a_definition_that_goes_and_comes_back_costs_no_request_until_its_grace_is_over() {
    let discord = Discord::default();
    let (api, http) = discord.serve().await;
    let host = host();
    let hour = Duration::from_hours(1);
    let mut one = keeping(hour, &host, &api, &http);
    // A save removes a command and the next restores it; a name is changed and changed back; a branch is checked out
    // and left again.
    for (step, entry, expected) in [
        ("at first", entry!(("a", "A"), ("b", "B")), &["POST a", "POST b"][..]),
        ("one is dropped", entry!(("a", "A")), &[]),
        ("and comes back", entry!(("a", "A"), ("b", "B")), &[]),
        ("one is renamed", entry!(("a", "A"), ("c", "B")), &["POST c"]),
        ("and back", entry!(("a", "A"), ("b", "B")), &[]),
        ("and again", entry!(("a", "A"), ("c", "B")), &[]),
        ("one comes back otherwise", entry!(("a", "A"), ("b", "B!")), &["POST b"]),
        ("nothing is left", entry!(), &[]),
        ("all is back", entry!(("a", "A"), ("b", "B!"), ("c", "B")), &[]),
    ] {
        swap(&host, &entry);
        register_once(&mut one).await;
        assert_eq!(discord.writes(), expected, "{step}");
        // So does a restart in between, of a bot with stored state.
        one = keeping(hour, &host, &api, &http);
        register_once(&mut one).await;
        assert_eq!(discord.writes(), [""; 0], "{step}, and started anew");
    }
    assert_eq!(host.creations().swap_remove(0).used, 3);
}

#[tokio::test]
async fn a_withdrawn_command_goes_at_the_end_of_its_grace_by_itself() {
    let discord = Discord::default();
    let (api, http) = discord.serve().await;
    let host = host();
    swap(&host, &entry!(("a", "A"), ("b", "B")));
    let running = tokio::spawn(keeping(Duration::from_millis(300), &host, &api, &http).run());
    assert_eq!(discord.wait_for_writes(2).await, ["POST a", "POST b"]);
    swap(&host, &entry!(("b", "B")));
    assert_eq!(discord.wait_for_writes(1).await, ["DELETE 100"]);
    running.abort();
}

#[tokio::test]
async fn nothing_is_removed_that_the_day_has_no_creations_left_for() {
    let discord = Discord::default();
    let (api, http) = discord.serve().await;
    let host = host();
    let store = host.store().of(&PluginId::new("host"));
    store.put("command creations, guild 6", &vec![sdk::status::since_1970(); 99]).unwrap();
    swap(&host, &entry!(("a", "A"), ("b", "B")));
    let mut one = keeping(Duration::from_millis(1), &host, &api, &http);
    register_once(&mut one).await;
    assert_eq!(discord.writes(), ["POST a", "POST b"]);
    swap(&host, &entry!(("b", "B")));
    for _ in 0..2 {
        register_once(&mut one).await;
        sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(discord.writes(), [""; 0]);
    register_once(&mut one).await;
    let withdrawn = host.withdrawn().swap_remove(0);
    assert!(withdrawn.waits_for.unwrap().contains("creations are left"));
    assert!(one.scopes[0].next_look(&one.moment(false)).unwrap() > Duration::from_hours(23));
}

#[tokio::test]
async fn a_command_that_is_gone_already_needs_no_deletion() {
    let discord = Discord::default();
    discord.0.commands.lock().unwrap().push(json!({"id": "7", "type": 1, "name": "old", "description": "x"}));
    let (api, http) = discord.serve().await;
    discord.next_fault(Method::DELETE, 404, json!({"code": 10063, "message": "Unknown application command"}));
    let mut one = registrar(&host(), &api, &http);
    register_once(&mut one).await;
    assert_eq!(discord.writes(), ["DELETE 7"]);
    register_once(&mut one).await;
    assert_eq!(discord.writes(), Vec::<String>::new());
}
