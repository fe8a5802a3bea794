//! A running sandbox: built, bound to an address, and shut down.

mod endpoints;
mod listen;
mod times;
mod worlds;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::address;
use crate::backend;
use crate::body;
use crate::client::Client;
use crate::control::guard::Guard;
use crate::control::listeners::Listeners;
use crate::control::pages::Pages;
use crate::control::{self, Control};
use crate::data::{self, Data};
use crate::endpoint::Endpoints;
use crate::error::ApiError;
use crate::event_log::{Capacity, EventLog};
use crate::fault::Faults;
use crate::gateway::{Hub, Intents, Options};
use crate::in_flight::InFlight;
use crate::live::{Discord, Limits};
use crate::page;
use crate::parity::Gaps;
use crate::proxy::Proxy;
use crate::ratelimit::{self, Config, Edge};
use crate::rest::{self, Rest};
use crate::seed::Seed;
use crate::snapshots::Snapshots;
use crate::snowflake::Snowflake;
use crate::stage::Stage;
use crate::state::scenario::Scenario;
use crate::state::{World, secret};
use crate::tls::{self, Addresses, Tls};
use crate::voice::{self, Voice};

/// The options of a sandbox.
#[derive(Debug, Clone)]
pub struct Builder {
    listen: SocketAddr,
    public_url: Option<String>,
    tls: Option<Tls>,
    bot_name: String,
    token: Option<String>,
    control_secret: Option<String>,
    limits: Limits,
    rate_limits: Config,
    gateway: Options,
    voice: voice::Options,
    event_log: Capacity,
    privileged: Intents,
    data: Option<Data>,
    seeds: Vec<Seed>,
    bot_control: Option<PathBuf>,
    endpoints: endpoints::Options,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_url: None,
            tls: None,
            bot_name: "Sandbot".to_owned(),
            token: None,
            control_secret: None,
            limits: Limits::default(),
            rate_limits: Config::default(),
            gateway: Options::default(),
            voice: voice::Options::default(),
            event_log: Capacity::default(),
            privileged: Intents::PRIVILEGED,
            data: None,
            seeds: Vec::new(),
            bot_control: None,
            endpoints: endpoints::Options::default(),
        }
    }
}

impl Builder {
    /// Sets the address to listen on. The default is a free port of the loopback interface.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Sets the base address of attachments, webhooks and the gateway, if it differs from the one listened on.
    #[must_use]
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into().trim_end_matches('/').to_owned());
        self
    }

    /// Serves everything with TLS, under a certificate for loopback, the host of the public address, and these names of
    /// other servers, such as `discord.com`. Requests without TLS are answered from this machine only.
    ///
    /// Bots get addresses with these names: the gateway's with one that begins with `gateway.`, those of files with one that
    /// begins with `cdn.`, and all others with the first of the rest. The root is [`voice::Options::root`].
    #[must_use]
    pub fn tls(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        self.tls = Some(Tls { names, ..self.tls.unwrap_or_default() });
        self
    }

    /// Makes the address an HTTP proxy too, for programs of this machine, which leads the names of [`tls`](Self::tls) to the
    /// sandbox and refuses all others.
    #[must_use]
    pub fn proxy(mut self) -> Self {
        self.tls = Some(Tls { proxy: true, ..self.tls.unwrap_or_default() });
        self
    }

    /// Sets the name of the bot.
    #[must_use]
    pub fn bot_name(mut self, name: impl Into<String>) -> Self {
        self.bot_name = name.into();
        self
    }

    /// Sets the token of the bot. The default is random. If its first part is a bot's id in base64, as in real tokens,
    /// the bot gets that id.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Sets the secret that the control API requires as `Authorization: Bearer SECRET`. The default is random.
    #[must_use]
    pub fn control_secret(mut self, secret: impl Into<String>) -> Self {
        self.control_secret = Some(secret.into());
        self
    }

    /// Sets the privileged intents that the bot's application has enabled. The default is all.
    #[must_use]
    pub fn privileged_intents(mut self, intents: Intents) -> Self {
        self.privileged = intents & Intents::PRIVILEGED;
        self
    }

    /// Sets the control socket of a bot with hot reload, which the page and the control API then reach.
    #[must_use]
    pub fn bot_control(mut self, socket: impl Into<PathBuf>) -> Self {
        self.bot_control = Some(socket.into());
        self
    }

    /// Sets the rate limits of REST.
    #[must_use]
    pub fn rate_limits(mut self, config: Config) -> Self {
        self.rate_limits = config;
        self
    }

    /// Sets the options of the gateway.
    #[must_use]
    pub fn gateway(mut self, options: Options) -> Self {
        self.gateway = options;
        self
    }

    /// Sets the options of the voice servers.
    #[must_use]
    pub fn voice(mut self, options: voice::Options) -> Self {
        self.voice = options;
        self
    }

    /// Sets the capacity of the log.
    #[must_use]
    pub fn event_log(mut self, capacity: Capacity) -> Self {
        self.event_log = capacity;
        self
    }

    /// Binds the addresses, including those of voice, and starts to serve.
    ///
    /// # Errors
    /// When an address cannot be bound, the world in the folder cannot be read or written ([`data::Error`]), a seed
    /// has a mistake ([`Mistake`](crate::seed::Mistake)), or TLS was asked for in a way that cannot be (`InvalidInput`).
    pub async fn start(self) -> io::Result<Sandbox> {
        let listener = TcpListener::bind(self.listen).await?;
        let address = listener.local_addr()?;
        let tls = self.tls.clone();
        let addresses = Addresses::new(address, self.public_url.as_deref(), tls.as_ref())
            .map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
        let identity = tls::identity(&addresses.host, tls.as_ref(), self.voice.root.as_ref())?;
        let data = self.data.clone();
        let (mut world, scenario, added) = self.world(&addresses)?;
        self.endpoints
            .apply(&mut world, scenario.application)
            .map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
        let Assembled { mut router, scenario, control_secret, discord, log, faults, pages, endpoints } =
            self.assemble_with(world, scenario, &addresses);
        {
            let mut live = discord.lock();
            live.begin();
            live.planted(&added);
        }
        if let Some(data) = &data {
            data.save(&discord).map_err(io::Error::other)?;
        }
        let guard = |router| Guard::new([&addresses.host], log.clone()).before(Stage::of(router)).router();
        let voice_servers =
            voice::start(discord.voice(), address.ip(), &addresses.host, &identity, guard).await?;
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(keep_time(Arc::clone(&discord), stopped.clone()));
        tokio::spawn(endpoints.run(stopped.clone()));
        if let Some(data) = data.clone() {
            tokio::spawn(data.keep(Arc::clone(&discord), stopped.clone()));
        }
        let proxy = tls.as_ref().is_some_and(|tls| tls.proxy);
        if let Some(tls) = tls.clone().filter(|tls| tls.proxy) {
            let own = address::reachable(address);
            router = Proxy::new(tls.names, own, Arc::clone(&discord), log.clone()).before(router);
        }
        let task = listen::start(listener, tls.map(|_| identity.config), router, stopped)?;
        Ok(Sandbox {
            address,
            addresses,
            proxy,
            scenario,
            control_secret,
            discord,
            log,
            faults,
            pages,
            stop,
            task,
            data,
            _voice: voice_servers,
        })
    }

    /// Builds everything behind one router, under its addresses. No voice server runs yet, and no
    /// requests are sent to endpoints.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn assemble(mut self, addresses: &Addresses) -> Assembled {
        self.endpoints.offline = true;
        let (world, scenario) = self.default_world(addresses);
        self.assemble_with(world, scenario, addresses)
    }

    fn assemble_with(mut self, world: World, scenario: Scenario, addresses: &Addresses) -> Assembled {
        self.gateway.public_url = self.gateway.public_url.or_else(|| addresses.gateway.clone());
        let clock = world.clock.clone();
        let log = EventLog::new(self.event_log);
        let faults = Faults::default();
        let hub = Hub::new(self.gateway, log.clone(), faults.clone(), clock.clone());
        let voice = voice::voice(self.voice, log.clone(), faults.clone());
        let discord = Arc::new(Discord::new(world, hub.clone(), voice, self.limits));
        let limits = ratelimit::Limits::new(self.rate_limits, clock);
        let in_flight = InFlight::default();
        let gaps = Gaps::default();
        let hosts = self.endpoints.hosts();
        let endpoints =
            Endpoints::new(Arc::clone(&discord), log.clone(), faults.clone(), gaps.clone(), hosts);
        let rest = Rest::new(rest::Shared {
            discord: Arc::clone(&discord),
            limits: limits.clone(),
            in_flight: in_flight.clone(),
            endpoints: endpoints.clone(),
        });
        let pages = Pages::default();
        let control = Control {
            discord: Arc::clone(&discord),
            log: log.clone(),
            faults: faults.clone(),
            gaps: gaps.clone(),
            limits: limits.clone(),
            in_flight,
            endpoints: endpoints.clone(),
            snapshots: self.data.as_ref().map_or_else(Snapshots::default, Data::snapshots),
            bot_control: self.bot_control.map(Into::into),
            pages: pages.clone(),
            listeners: Listeners::default(),
            run: secret(12).into(),
        };
        let edge = Edge { log: log.clone(), faults: faults.clone(), limits, gaps };
        let control_secret = self.control_secret.unwrap_or_else(|| secret(43));
        // The edge of REST does the same, since its log counts the bytes of a body.
        let others = control::router(control, &control_secret).layer(from_fn(body::read_to_end));
        let others = Router::new()
            .merge(rest::files(&rest))
            .merge(others)
            .merge(page::routes())
            .merge(hub.router(Arc::new(backend::GatewayBackend(Arc::clone(&discord)))))
            .fallback(async |request: Request| {
                body::discard(request).await;
                ApiError::not_found()
            });
        let names = self.tls.iter().flat_map(|tls| &tls.names);
        let guard = Guard::new(std::iter::once(&addresses.host).chain(names), log.clone());
        let stages = Stage::of(others).behind(rest::api(&rest, edge), rest::divide);
        let router = guard.before(stages).router();
        Assembled { router, scenario, control_secret, discord, log, faults, pages, endpoints }
    }
}

/// Lets happen what falls due, until the sandbox stops.
async fn keep_time(discord: Arc<Discord>, mut stopped: watch::Receiver<bool>) {
    tokio::select! {
        () = discord.keep_time() => {}
        // The sender exists as long as the sandbox itself.
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

/// Everything that answers requests, without an address to listen on.
pub(crate) struct Assembled {
    pub(crate) router: Router,
    pub(crate) scenario: Scenario,
    pub(crate) control_secret: String,
    pub(crate) discord: Arc<Discord>,
    pub(crate) log: EventLog,
    pub(crate) faults: Faults,
    pub(crate) pages: Pages,
    pub(crate) endpoints: Endpoints,
}

/// A running sandbox. Dropping it stops it.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    addresses: Addresses,
    proxy: bool,
    scenario: Scenario,
    control_secret: String,
    discord: Arc<Discord>,
    log: EventLog,
    faults: Faults,
    pages: Pages,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    data: Option<Data>,
    _voice: voice::Running,
}

impl Sandbox {
    /// Creates a builder with the defaults: a free loopback port, and a guild "Sandbox" with alice, bob, carol and a
    /// bot.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Returns the address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the base address, such as `http://127.0.0.1:8787`, which corresponds to `https://discord.com`.
    pub fn url(&self) -> &str {
        &self.addresses.base
    }

    /// Returns the base address from this machine without TLS, whatever address bots use.
    pub fn local_url(&self) -> String {
        format!("http://{}", address::reachable(self.address))
    }

    /// Returns the address of REST, such as `http://127.0.0.1:8787/api/v10`.
    pub fn api_url(&self) -> String {
        format!("{}/api/v10", self.addresses.base)
    }

    /// Returns the address of the gateway, such as `ws://127.0.0.1:8787`.
    pub fn gateway_url(&self) -> String {
        self.addresses.gateway.clone().unwrap_or_else(|| self.addresses.base.replacen("http", "ws", 1))
    }

    /// Returns the address of the proxy, if there is one.
    pub fn proxy_url(&self) -> Option<String> {
        self.proxy.then(|| self.local_url())
    }

    /// Returns the certificate, as PEM, that clients of TLS and of voice must trust.
    pub fn root_certificate(&self) -> &str {
        self.voice().root_certificate()
    }

    /// Returns the token of the default bot.
    pub fn token(&self) -> &str {
        &self.scenario.token
    }

    /// Returns the secret of the control API. [`client`](Self::client) sends it already.
    pub fn control_secret(&self) -> &str {
        &self.control_secret
    }

    /// Returns the public key of the default bot's application, with which it verifies requests to its endpoints. A bot of
    /// the same token has the same key in each sandbox.
    pub fn public_key(&self) -> String {
        let live = self.discord.lock();
        let application = live.applications.get(&self.scenario.application);
        application.map(|application| application.key_pair.public()).unwrap_or_default()
    }

    /// Returns the application id of the default bot, which is its user id too.
    pub fn bot_id(&self) -> Snowflake {
        self.scenario.application
    }

    /// Returns the id of the guild "Sandbox".
    pub fn guild_id(&self) -> Snowflake {
        self.scenario.guild
    }

    /// Returns a channel of the guild "Sandbox", by name.
    pub fn channel_id(&self, name: &str) -> Option<Snowflake> {
        let live = self.discord.lock();
        let guild = live.guilds.get(&self.scenario.guild)?;
        guild
            .channels
            .iter()
            .copied()
            .find(|id| live.channels.get(id).is_some_and(|channel| channel.name == name))
    }

    /// Returns an account, by its unique name.
    pub fn user_id(&self, name: &str) -> Option<Snowflake> {
        self.discord.lock().find_user(name).map(|user| user.id)
    }

    /// Returns an address of the page in which a browser shows this Discord. It can be opened once, within an hour.
    pub fn page_url(&self) -> String {
        format!("{}/app#ticket={}", self.local_url(), self.pages.ticket())
    }

    /// Returns a client for the users' side.
    pub fn client(&self) -> Client {
        Client::new(self.local_url()).secret(&self.control_secret)
    }

    /// Returns the world itself, for tests that inspect it.
    pub fn discord(&self) -> &Arc<Discord> {
        &self.discord
    }

    /// Returns voice: its servers, and the audio that they receive.
    pub fn voice(&self) -> &Voice {
        self.discord.voice()
    }

    /// Returns the log of every request and event.
    pub fn event_log(&self) -> &EventLog {
        &self.log
    }

    /// Returns the faults to inject.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Writes the world to its folder, if it has one and has changed.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self) -> Result<(), data::Error> {
        self.data.as_ref().map_or(Ok(()), |data| data.save(&self.discord))
    }

    /// Closes all connections and the address. The world is in its folder then, if it has one; an error is logged.
    pub async fn shutdown(self) {
        if let Err(error) = self.close().await {
            tracing::error!(%error, "the world can't be saved");
        }
    }

    /// Closes all connections and the address, and writes the world to its folder, if it has one.
    ///
    /// # Errors
    /// When the world cannot be written.
    pub async fn close(mut self) -> Result<(), data::Error> {
        self.discord.hub().close_all(1001);
        self.discord.voice().close_all();
        self.discord.feed().close();
        self.stop.send_replace(true);
        // The task ends by itself after the signal, and its result does not matter.
        let _ = (&mut self.task).await;
        self.save()
    }

    /// Waits until the task ends, which happens only if the listener fails.
    pub async fn wait(&mut self) {
        let _ = (&mut self.task).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.discord.hub().close_all(1001);
        self.discord.voice().close_all();
        self.discord.feed().close();
        self.stop.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use crate::address::host;

    #[test]
    fn a_host_is_what_stands_before_the_port() {
        for (url, expected) in [
            ("http://127.0.0.1:8787", "127.0.0.1"),
            ("https://sandbox", "sandbox"),
            ("http://[::1]:8787", "[::1]"),
            ("http://[::1]", "[::1]"),
            ("http://sandbox:8787/base", "sandbox"),
        ] {
            assert_eq!(host(url), expected);
        }
    }
}
