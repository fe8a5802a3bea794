//! What outlives a restart: plugins' states and values, timers, and players, as rows of the database.
//!
//! # Theory of operation
//!
//! Everything is in memory and answered from there; the database follows. Each change marks
//! [`Changes`](crate::changes::Changes). [`Checkpoint::keep`] waits for a mark, compares what is to be kept with what
//! was written last, writes the rows that differ in one transaction, and pauses, so that many changes cause few writes.
//! Serialising runs on a thread of its own. Timers have a journal of their own, which is written without a pause,
//! because whoever sets one waits for it (`timers`). While the database does not answer, nothing is lost but time: the
//! rows still differ when it is back.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::PluginId;
use crate::database::{DatabaseError, Engine, Statements};
use crate::host::Host;
use crate::state::{SavedState, StateError};

mod rows;
mod state_file;
mod table;
mod timers;

use rows::{Contents, RowKey, Rows};
use state_file::Document;

/// Area of rows that could not be read.
const UNREADABLE: &str = "unreadable";

/// Shortest time from one write to the next.
const PAUSE: Duration = Duration::from_millis(100);
/// Longest time from one write to the next, which bounds what a crash can lose.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Time from a write that failed to the next attempt.
const RETRY: Duration = Duration::from_secs(1);

/// What a host keeps in the database.
pub struct Checkpoint {
    host: Host,
    engine: Arc<dyn Engine>,
    application: u64,
    /// This process, as owner of the timers that it runs.
    owner: i64,
    written: Arc<tokio::sync::Mutex<Written>>,
    writing_timers: Arc<tokio::sync::Mutex<()>>,
    told_of_state: Mutex<Option<String>>,
    told_of_timers: Mutex<Option<String>>,
    writes: watch::Sender<u64>,
}

/// What was written last.
#[derive(Default)]
struct Written {
    /// The hash of each row.
    rows: BTreeMap<RowKey, u64>,
    /// The last state of each plugin that could be saved.
    states: BTreeMap<PluginId, Arc<SavedState>>,
}

impl Checkpoint {
    /// Reads what the database has for an application, restores it into the host, and returns the checkpoint that writes
    /// changes from now on. Call it before any plugin starts.
    ///
    /// If the database has nothing yet, the state file of an earlier version is taken over. One that cannot be used is
    /// moved aside with a log message, and the bot starts without it.
    ///
    /// # Errors
    /// If the host has no database, or it cannot be read.
    pub async fn open(
        host: &Host,
        file: Option<PathBuf>,
        application: u64,
    ) -> Result<Arc<Self>, DatabaseError> {
        let engine = host.database().cloned().ok_or_else(DatabaseError::none)?;
        table::create(&*engine).await?;
        let rows = table::read(&*engine, application).await?;
        let owner = rand::random();
        let timers = timers::read(&*engine, application, owner).await?;
        let this = Arc::new(Self {
            host: host.clone(),
            engine,
            application,
            owner,
            written: Arc::default(),
            writing_timers: Arc::default(),
            told_of_state: Mutex::default(),
            told_of_timers: Mutex::default(),
            writes: watch::Sender::default(),
        });
        let is_empty = rows.is_empty() && timers.is_empty();
        let imported = match file {
            Some(file) if is_empty => this.import(file).await,
            Some(file) if file.exists() => {
                let file = file.display();
                tracing::warn!(%file, "the database has state already, so the state file is not read; remove or rename it");
                None
            }
            _ => None,
        };
        let (contents, timers, is_written) = match imported {
            Some(Imported { contents, timers, is_written }) => (contents, timers, is_written),
            None => {
                let (contents, unread) = Contents::read(&rows);
                for (key, error) in unread {
                    this.put_aside(&key, &rows[&key], &error).await?;
                }
                (contents, timers, true)
            }
        };
        let plugins = contents.plugins.values().filter(|saved| saved.parked.is_some()).count();
        tracing::info!(database = this.engine.address(), plugins, timers = timers.len(), "remembering");
        {
            let mut written = this.written.lock().await;
            let states = contents.plugins.iter();
            written.states =
                states.filter_map(|(plugin, saved)| Some((plugin.clone(), saved.parked.clone()?))).collect();
            if is_written {
                written.rows =
                    contents.rows().iter().flatten().map(|(key, body)| (key.clone(), hash(body))).collect();
            }
        }
        host.scheduler().keep();
        if is_written {
            host.scheduler().restore(timers);
        } else {
            host.scheduler().restore_unwritten(timers);
        }
        host.store().restore(contents.store);
        host.state_history().set_all(contents.plugins);
        if host.voice().restore(contents.voice) || !is_written {
            this.save().await;
        }
        Ok(this)
    }

    /// Copies a row that cannot be read to where no plugin writes over it.
    async fn put_aside(&self, row: &RowKey, body: &str, error: &str) -> Result<(), DatabaseError> {
        let RowKey { area, plugin, key } = row;
        tracing::error!(
            area,
            plugin,
            key,
            error,
            "a row of hotcord_state cannot be read; it is kept as area 'unreadable'"
        );
        let aside =
            RowKey { area: UNREADABLE.to_owned(), plugin: plugin.clone(), key: format!("{area}/{key}") };
        let mut transaction = self.engine.begin().await?;
        let body = body.to_owned();
        table::write(&mut *transaction, self.application, vec![(&aside, &body)], &[]).await?;
        transaction.commit().await
    }

    /// Takes over a state file.
    async fn import(&self, file: PathBuf) -> Option<Imported> {
        let application = self.application;
        let reading = tokio::task::spawn_blocking(move || state_file::read(&file, application));
        let (path, document) = reading.await.ok().flatten()?;
        let Document { store, plugins, timers, voice, .. } = document;
        let contents = Contents { store, plugins, voice };
        let outcome = async {
            let rows = contents.rows().map_err(|error| error.to_string())?;
            let mut transaction = self.engine.begin().await.map_err(|error| error.to_string())?;
            let statements: &mut dyn Statements = &mut *transaction;
            let written = async {
                table::write(statements, application, rows.iter().collect(), &[]).await?;
                timers::put(statements, application, timers.iter()).await
            };
            written.await.map_err(|error| error.to_string())?;
            transaction.commit().await.map_err(|error| error.to_string())
        };
        let file = path.display();
        let is_written = match outcome.await {
            Ok(()) => {
                match state_file::put_aside(&path) {
                    Ok(aside) => tracing::info!(
                        %file,
                        kept_as = %aside.display(),
                        values = contents.store.values().map(BTreeMap::len).sum::<usize>(),
                        plugins = contents.plugins.len(),
                        timers = timers.len(),
                        players = contents.voice.players.len(),
                        "the state file was taken over into the database"
                    ),
                    Err(error) => {
                        tracing::warn!(%file, %error, "the state file was taken over into the database, but cannot be renamed; remove it");
                    }
                }
                true
            }
            Err(error) => {
                tracing::error!(%file, error, "the state file cannot be taken over into the database yet");
                false
            }
        };
        Some(Imported { contents, timers, is_written })
    }

    /// Writes changes until the future is dropped.
    pub async fn keep(self: Arc<Self>) {
        tokio::join!(self.keep_timers(), self.keep_state());
    }

    async fn keep_state(self: &Arc<Self>) {
        loop {
            self.host.changes().noted().await;
            let mut began = Instant::now();
            while !self.write_state().await {
                tokio::time::sleep(RETRY).await;
                began = Instant::now();
            }
            // A large state is written less often, so that writing takes at most a tenth of a processor.
            tokio::time::sleep((began.elapsed() * 9).clamp(PAUSE, LONGEST_PAUSE)).await;
        }
    }

    /// Writes everything that has changed. A problem is logged once.
    pub async fn save(self: &Arc<Self>) {
        self.write_timers().await;
        self.write_state().await;
    }

    /// Returns a receiver of the number of writes, which changes with each write.
    pub fn writes(&self) -> watch::Receiver<u64> {
        self.writes.subscribe()
    }

    /// Writes what has changed, except for timers. Returns whether that was possible.
    async fn write_state(self: &Arc<Self>) -> bool {
        let mut written = self.written.clone().lock_owned().await;
        let this = self.clone();
        let collecting = tokio::task::spawn_blocking(move || {
            let collected = this.collect(&mut written.states);
            (collected, written)
        });
        let ((contents, problems), mut written) = match collecting.await {
            Ok(collected) => collected,
            Err(error) => {
                Self::tell(
                    &self.told_of_state,
                    Some(format!("what the bot remembers was not written: {error}")),
                );
                return true;
            }
        };
        let outcome = match contents {
            Ok(rows) => {
                self.write_rows(&rows, &mut written.rows).await.map_err(|error| self.unwritten(&error))
            }
            // It cannot be written later either.
            Err(error) => {
                let problem = format!("what the bot remembers cannot be written as JSON: {error}");
                Self::tell(&self.told_of_state, Some(problem));
                return true;
            }
        };
        let is_written = outcome.is_ok();
        let problems = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Self::tell(
            &self.told_of_state,
            outcome.err().or_else(|| Some(problems).filter(|text| !text.is_empty())),
        );
        is_written
    }

    /// Writes the rows that differ from those written last.
    async fn write_rows(
        &self,
        rows: &Rows,
        written: &mut BTreeMap<RowKey, u64>,
    ) -> Result<(), DatabaseError> {
        let changed: Vec<_> =
            rows.iter().filter(|(key, body)| written.get(key) != Some(&hash(body))).collect();
        let deleted: Vec<_> = written.keys().filter(|key| !rows.contains_key(key)).cloned().collect();
        if changed.is_empty() && deleted.is_empty() {
            return Ok(());
        }
        let mut transaction = self.engine.begin().await?;
        table::write(&mut *transaction, self.application, changed.clone(), &deleted).await?;
        transaction.commit().await?;
        written.extend(changed.into_iter().map(|(key, body)| (key.clone(), hash(body))));
        written.retain(|key, _| rows.contains_key(key));
        self.writes.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Returns the rows to be kept, and the problems found. A state that cannot be saved is taken as last saved.
    fn collect(
        &self,
        states: &mut BTreeMap<PluginId, Arc<SavedState>>,
    ) -> (serde_json::Result<Rows>, Vec<StateError>) {
        let mut problems = Vec::new();
        let mut plugins = self.host.state_history().all();
        for (plugin, generation) in self.host.registry().snapshot().generations() {
            if !generation.state_slot().is_some_and(crate::state::StateSlot::is_preserved) {
                continue;
            }
            match generation.save_state() {
                Ok(saved) => states.extend(saved.map(|saved| (plugin.clone(), Arc::new(saved)))),
                Err(problem) => problems.push(problem),
            }
            plugins.entry(plugin.clone()).or_default().parked = states.get(plugin).cloned();
        }
        let contents = Contents { store: self.host.store().all(), plugins, voice: self.host.voice().saved() };
        (contents.rows(), problems)
    }

    /// Returns why changes cannot be written at present, as a sentence.
    pub fn problem(&self) -> Option<String> {
        self.told_of_state.lock().clone().or_else(|| self.told_of_timers.lock().clone())
    }

    /// Words a failure of the database.
    fn unwritten(&self, error: &DatabaseError) -> String {
        format!(
            "what the bot remembers cannot be written to {} ({error}); it is in memory, and written when that is possible",
            self.engine.address()
        )
    }

    /// Logs a problem once, and its end.
    fn tell(told: &Mutex<Option<String>>, problem: Option<String>) {
        let mut told = told.lock();
        match &problem {
            Some(text) if told.as_ref() != Some(text) => tracing::error!("{text}"),
            None if told.is_some() => tracing::info!("what the bot remembers is written again"),
            _ => {}
        }
        *told = problem;
    }
}

/// What a state file contained.
struct Imported {
    contents: Contents,
    timers: Vec<crate::scheduler::Kept>,
    /// Whether the database has it.
    is_written: bool,
}

fn hash(body: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    hasher.finish()
}
