//! The local Discord inside the bot.

use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;

use ::sandbox::data::Data;
use ::sandbox::seed::Seed;
use ::sandbox::state_file::StateFile;
use ::sandbox::{Builder, Sandbox};
use sdk::tokio;
use sdk::tokio::sync::oneshot;

use super::{StartError, StartErrorKind, Started};

/// A thread that runs the server, so that neither side waits for the other.
pub(super) struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts the server, with its state file at `state`.
    ///
    /// # Errors
    /// If the thread or the server cannot be started, or the state file cannot be written.
    pub(super) fn start(state: &Path) -> Result<(Self, Started), StartError> {
        let (stop, stopped) = oneshot::channel();
        let (sender, started) = mpsc::channel();
        let state = state.to_owned();
        let thread = std::thread::Builder::new().name("sandbox".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(serve(&state, &sender, stopped)),
                Err(error) => drop(sender.send(Err(error))),
            }
        })?;
        let started = started.recv().map_err(|_| StartErrorKind::Thread)??;
        Ok((Self { stop: Some(stop), thread: Some(thread) }, started))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(state: &Path, started: &mpsc::Sender<io::Result<Started>>, stopped: oneshot::Receiver<()>) {
    let sandbox = match configured() {
        Ok(builder) => builder.start().await,
        Err(error) => Err(error),
    };
    match sandbox {
        Ok(sandbox) => {
            let told = StateFile::of(&sandbox).write(state).map(|()| Started {
                url: sandbox.url().to_owned(),
                token: sandbox.token().to_owned(),
                guild: sandbox.guild_id().0,
                root_certificate: sandbox.voice().root_certificate().to_owned(),
                client: "cargo run -q -p sandbox --".to_owned(),
            });
            let serves = told.is_ok();
            if started.send(told).is_ok() && serves {
                let _ = stopped.await;
            }
            sandbox.shutdown().await;
        }
        Err(error) => drop(started.send(Err(error))),
    }
}

/// Returns the sandbox that `SANDBOX_SEED` and `SANDBOX_DATA` describe, as for the program `sandbox serve`.
fn configured() -> io::Result<Builder> {
    let mut builder = Sandbox::builder().bot_name("Hotcord");
    for seed in Seed::of_environment().map_err(io::Error::other)? {
        builder = builder.seed(seed);
    }
    Ok(match Data::of_environment().map_err(io::Error::other)? {
        Some(data) => builder.data(data),
        None => builder,
    })
}
