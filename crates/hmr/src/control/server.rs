//! The bot's side of the socket.

use std::io;
use std::path::Path;
use std::string::FromUtf8Error;
use std::time::Duration;

use sdk_core::PluginId;
use sdk_core::host::{Host, Reloader, RequestError};
use sdk_core::status::Status;
use serde::Serialize;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Take};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::address::{self, Files};
use super::{ControlError, Outcome, REQUEST, Reply, Request};

/// Most connections at one time.
const CONNECTIONS: usize = 32;
/// Wait after a connection could not be accepted.
const ACCEPT_AGAIN_IN: Duration = Duration::from_millis(50);
/// Longest wait for a request.
const REQUEST_WITHIN: Duration = Duration::from_mins(5);
/// Longest wait for a reader to make room for a line.
const READ_WITHIN: Duration = Duration::from_secs(5);

/// An open socket. Dropping it closes it with all its connections.
#[derive(Debug)]
pub struct Server {
    task: AbortHandle,
    _files: Files,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens the control socket of a workspace. `redact` removes from every line what must not leave the bot.
///
/// # Errors
/// When another bot has it or it cannot be created.
pub fn serve(host: Host, workspace: &Path, redact: fn(&str) -> String) -> Result<Server, ControlError> {
    let (listener, files) = address::listen(workspace)?;
    let listener = UnixListener::from_std(listener).map_err(ControlError::io("listened to", workspace))?;
    let accept = async move || listener.accept().await.map(|(stream, _)| stream);
    let task = tokio::spawn(accept_all(accept, host, redact)).abort_handle();
    Ok(Server { task, _files: files })
}

/// Serves every connection that `accept` returns, until the future is dropped.
async fn accept_all(
    accept: impl AsyncFn() -> io::Result<UnixStream>,
    host: Host,
    redact: fn(&str) -> String,
) {
    let mut connections = JoinSet::new();
    let mut is_failing = false;
    loop {
        tokio::select! {
            accepted = accept() => match accepted {
                Ok(stream) if connections.len() < CONNECTIONS => {
                    is_failing = false;
                    connections.spawn(Connection::new(stream, host.clone(), redact).run());
                }
                Ok(stream) => {
                    let mut connection = Connection::new(stream, host.clone(), redact);
                    connections.spawn(async move {
                        _ = connection.refuse("too many programs are connected to this bot already").await;
                    });
                }
                Err(error) => {
                    // Most likely out of file descriptors, which lasts: one warning for all failures in a row.
                    if !std::mem::replace(&mut is_failing, true) {
                        tracing::warn!(%error, "the control socket cannot take connections");
                    }
                    sleep(ACCEPT_AGAIN_IN).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// A connected program.
struct Connection {
    reader: Take<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
    host: Host,
    redact: fn(&str) -> String,
}

/// Why a line is no request.
#[derive(Debug, thiserror::Error)]
enum BadRequest {
    #[error("a request has at most {REQUEST} bytes")]
    Long,
    #[error("a request has to be UTF-8")]
    Encoding(#[source] FromUtf8Error),
    #[error("that is no request of the control socket: {}", without_place(.0))]
    Form(#[source] serde_json::Error),
}

/// Returns the parser's message without line and column: a request is one line.
fn without_place(error: &serde_json::Error) -> String {
    let why = error.to_string();
    why.split(" at line ").next().unwrap_or_default().to_owned()
}

/// The program has disconnected, or was disconnected because it reads too slowly.
struct Gone;

impl Connection {
    fn new(stream: UnixStream, host: Host, redact: fn(&str) -> String) -> Self {
        let (reader, writer) = stream.into_split();
        Self { reader: BufReader::new(reader).take(0), writer, host, redact }
    }

    async fn run(mut self) {
        while let Ok(Some(line)) = timeout(REQUEST_WITHIN, self.line()).await {
            let handled = match line {
                Err(problem) => {
                    _ = self.refuse(&problem.to_string()).await;
                    return;
                }
                Ok(line) => match serde_json::from_str(&line) {
                    Ok(request) => self.handle(request).await,
                    Err(error) => self.refuse(&BadRequest::Form(error).to_string()).await,
                },
            };
            if handled.is_err() {
                return;
            }
        }
    }

    /// Reads a line; `None` at the end.
    async fn line(&mut self) -> Option<Result<String, BadRequest>> {
        self.reader.set_limit(REQUEST as u64);
        let mut line = Vec::new();
        match self.reader.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => None,
            Ok(_) if line.last() != Some(&b'\n') && line.len() == REQUEST => Some(Err(BadRequest::Long)),
            Ok(_) => Some(String::from_utf8(line).map_err(BadRequest::Encoding)),
        }
    }

    async fn handle(&mut self, request: Request) -> Result<(), Gone> {
        match request {
            Request::Status => {
                let status = Status::of(&self.host).await;
                self.answer(Ok(status)).await
            }
            Request::Events { last, follow } => self.events(last, follow).await,
            Request::Reload { plugin } => {
                let answer = match self.reloader() {
                    Err(error) => Err(error),
                    Ok(reloader) => {
                        let mut outcome = Outcome::default();
                        for result in reloader.reload(plugin.map(PluginId::new)).await {
                            match result {
                                Ok(reloaded) => outcome.reloaded.push(reloaded),
                                Err(error) => outcome.failed.push(error.to_string()),
                            }
                        }
                        Ok(outcome)
                    }
                };
                self.answer(answer).await
            }
            Request::Rollback { plugin, generation } => {
                let answer = match self.reloader() {
                    Err(error) => Err(error),
                    Ok(reloader) => reloader.rollback(PluginId::new(plugin), generation).await,
                };
                self.answer(answer).await
            }
            Request::Generations => {
                let ledger = self.host.registry().ledger();
                self.answer(Ok(ledger)).await
            }
            Request::Watch { on } => {
                let answer = match self.reloader() {
                    Err(error) => Err(error),
                    Ok(reloader) => reloader.watch(on).await,
                };
                self.answer(answer).await
            }
            Request::Prune => {
                let answer = match self.host.registrar().cloned() {
                    None => Err("commands are not registered yet".into()),
                    Some(registrar) => registrar.prune().await,
                };
                self.answer(answer).await
            }
            Request::Restart { now } => {
                let words = if now { "restarting" } else { "restarting as soon as nothing is under way" };
                let answer = self.reloader().and_then(|reloader| reloader.restart(!now));
                self.answer(answer.map(|()| words)).await
            }
        }
    }

    fn reloader(&self) -> Result<&dyn Reloader, RequestError> {
        let off = || "this bot runs without hot reload; a change is live after a restart".into();
        self.host.reloader().map(AsRef::as_ref).ok_or_else(off)
    }

    /// Writes events until the program disconnects.
    async fn events(&mut self, last: usize, follow: bool) -> Result<(), Gone> {
        let (past, mut heard) = self.host.bus().listen_after(last);
        for stamped in &past {
            self.write(stamped).await?;
        }
        if !follow {
            return Err(Gone);
        }
        loop {
            self.reader.set_limit(REQUEST as u64);
            let mut ignored = Vec::new();
            tokio::select! {
                stamped = heard.recv() => match stamped {
                    Ok(stamped) => self.write(&stamped).await?,
                    Err(RecvError::Lagged(missed)) => {
                        self.refuse(&format!("{missed} events were not read in time; ask for the last ones")).await?;
                        return Err(Gone);
                    }
                    Err(RecvError::Closed) => return Err(Gone),
                },
                read = self.reader.read_until(b'\n', &mut ignored) => {
                    if matches!(read, Ok(0) | Err(_)) {
                        return Err(Gone);
                    }
                }
            }
        }
    }

    async fn refuse(&mut self, sentence: &str) -> Result<(), Gone> {
        self.answer::<()>(Err(sentence.into())).await
    }

    async fn answer<T: Serialize>(&mut self, answer: Result<T, RequestError>) -> Result<(), Gone> {
        self.write(&answer.map_or_else(|error| Reply::Error(error.to_string()), Reply::Ok)).await
    }

    async fn write(&mut self, value: &impl Serialize) -> Result<(), Gone> {
        let text = serde_json::to_string(value).map_err(|error| {
            tracing::error!(%error, "an answer of the control socket could not be written as JSON");
            Gone
        })?;
        let mut line = (self.redact)(&text);
        line.push('\n');
        match timeout(READ_WITHIN, self.writer.write_all(line.as_bytes())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Gone),
            Err(_) => {
                tracing::warn!(
                    "a program at the control socket does not read what it asked for; it is disconnected"
                );
                Err(Gone)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sdk_core::bus::ReloadEvent;
    use sdk_core::settings::Settings;
    use serde_json::Value;

    use super::*;

    const TOKEN: &str = "the.bots.token";

    struct Ground {
        host: Host,
        folder: tempfile::TempDir,
        _server: Server,
    }

    impl Ground {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let host = Host::new("1.0.0", Settings::default());
            let server = serve(host.clone(), folder.path(), |line| line.replace(TOKEN, "[hidden]")).unwrap();
            Self { host, folder, _server: server }
        }

        async fn connect(&self) -> BufReader<UnixStream> {
            let socket = self.folder.path().join(".hotcord/control.sock");
            BufReader::new(UnixStream::connect(socket).await.unwrap())
        }
    }

    async fn ask(stream: &mut BufReader<UnixStream>, request: &str) -> Value {
        stream.write_all(format!("{request}\n").as_bytes()).await.unwrap();
        answer(stream).await
    }

    async fn answer(stream: &mut BufReader<UnixStream>) -> Value {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }

    fn note(words: impl Into<String>) -> ReloadEvent {
        ReloadEvent::Note { plugin: None, message: words.into() }
    }

    #[tokio::test]
    async fn requests_are_answered_one_after_the_other_and_bad_ones_with_a_sentence() {
        let ground = Ground::new();
        let mut stream = ground.connect().await;
        let error = ask(&mut stream, "hello").await["error"].as_str().unwrap().to_owned();
        assert!(error.starts_with("that is no request of the control socket: "), "{error}");
        let error = ask(&mut stream, r#"{"do":"dance"}"#).await["error"].as_str().unwrap().to_owned();
        assert!(error.contains("unknown variant `dance`, expected one of `status`"), "{error}");
        let error = ask(&mut stream, r#"{"do":"watch"}"#).await["error"].as_str().unwrap().to_owned();
        assert!(error.contains("missing field `on`"), "{error}");
        let error = ask(&mut stream, r#"{"do":"reload"}"#).await["error"].as_str().unwrap().to_owned();
        assert!(error.contains("without hot reload"), "{error}");
        let status = ask(&mut stream, r#"{"do":"status"}"#).await;
        assert_eq!(status["ok"]["host"]["pid"], std::process::id());
        let error = ask(&mut stream, &"x".repeat(REQUEST + 1)).await["error"].as_str().unwrap().to_owned();
        assert!(error.contains("at most 65536 bytes"), "{error}");
        assert_eq!(stream.read(&mut [0]).await.unwrap_or_default(), 0, "the connection is closed");
    }

    #[tokio::test]
    async fn events_are_followed_after_those_of_the_past_and_hold_no_secret() {
        let ground = Ground::new();
        for words in ["one", "two", &format!("three {TOKEN}")] {
            ground.host.bus().emit(note(words));
        }
        let mut stream = ground.connect().await;
        assert_eq!(ask(&mut stream, r#"{"do":"events","last":2}"#).await["message"], "two");
        assert_eq!(answer(&mut stream).await["message"], "three [hidden]");
        ground.host.bus().emit(note("four"));
        let event = answer(&mut stream).await;
        assert_eq!((&event["event"], &event["message"]), (&Value::from("note"), &Value::from("four")));
        assert!(event["at"].as_u64().is_some());

        let mut stream = ground.connect().await;
        let event = ask(&mut stream, r#"{"do":"events","last":1,"follow":false}"#).await;
        assert_eq!(event["message"], "four");
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0, "the connection is closed");
    }

    #[tokio::test]
    async fn who_does_not_read_is_dropped_and_holds_up_nobody() {
        let ground = Ground::new();
        let mut slow = ground.connect().await;
        slow.write_all(b"{\"do\":\"events\",\"last\":1}\n").await.unwrap();
        ground.host.bus().emit(note("first"));
        let first = answer(&mut slow).await;
        assert_eq!(first["message"], "first");
        // Far more than the socket and the bus hold. Publishing them waits for no reader.
        for _ in 0..3000 {
            ground.host.bus().emit(note("x".repeat(1000)));
        }
        let mut quick = ground.connect().await;
        assert!(ask(&mut quick, r#"{"do":"status"}"#).await["ok"].is_object());
        let mut rest = String::new();
        timeout(Duration::from_mins(1), slow.read_to_string(&mut rest)).await.unwrap().unwrap();
        let last = rest.lines().last().unwrap_or_default();
        assert!(last.contains("were not read in time"), "{last}");
    }

    #[tokio::test]
    async fn more_programs_than_it_takes_are_told_so() {
        let ground = Ground::new();
        let mut streams = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut stream = ground.connect().await;
            assert!(ask(&mut stream, r#"{"do":"status"}"#).await["ok"].is_object());
            streams.push(stream);
        }
        let error = answer(&mut ground.connect().await).await["error"].as_str().unwrap().to_owned();
        assert!(error.contains("too many programs"), "{error}");
        streams.pop();
        // The connection is free as soon as the bot has noticed.
        loop {
            let mut stream = ground.connect().await;
            stream.write_all(b"{\"do\":\"status\"}\n").await.unwrap();
            if answer(&mut stream).await["ok"].is_object() {
                break;
            }
        }
    }

    #[tokio::test]
    async fn a_connection_that_cannot_be_taken_ends_nothing() {
        use std::sync::atomic::{AtomicUsize, Ordering};

        const FAILURES: usize = 3;
        let ground = Ground::new();
        let (here, there) = UnixStream::pair().unwrap();
        let (there, asked) = (parking_lot::Mutex::new(Some(there)), AtomicUsize::new(0));
        let accept = async move || {
            if asked.fetch_add(1, Ordering::Relaxed) < FAILURES {
                return Err(rustix::io::Errno::MFILE.into());
            }
            let stream = there.lock().take();
            match stream {
                Some(stream) => Ok(stream),
                None => std::future::pending().await,
            }
        };
        let serving = tokio::spawn(accept_all(accept, ground.host.clone(), str::to_owned));
        let mut here = BufReader::new(here);
        assert!(ask(&mut here, r#"{"do":"status"}"#).await["ok"].is_object());
        serving.abort();
    }
}
