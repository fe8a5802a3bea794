//! Errors by their consequence: a save that does not go live, or a host that cannot continue.

use std::io;
use std::path::PathBuf;

use crate::findings::Findings;
use crate::link::LinkFailure;

/// Why a save is not live. The generation before it continues to answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// rustc rejected the source, or the linker its output. Their diagnostics have been printed.
    #[error("{}", .0.summary())]
    Compile(Findings),
    /// rustc failed and found no error in the source.
    #[error("rustc failed ({status}) and found no error in the source; it said: {words}")]
    Compiler {
        /// Its exit status.
        status: std::process::ExitStatus,
        /// Its output about itself.
        words: String,
    },
    /// cargo failed before or beside the plugin.
    #[error("cargo failed:\n{0}")]
    Cargo(String),
    /// A program could not be run.
    #[error("{program} could not be run ({source}); is it installed and on PATH?")]
    Spawn {
        /// Program.
        program: String,
        /// System's reason.
        source: io::Error,
    },
    /// A file or folder could not be used.
    #[error("{} could not be {action} ({source})", path.display())]
    Io {
        /// The failed action, as a past participle.
        action: &'static str,
        /// File or folder.
        path: PathBuf,
        /// System's reason.
        source: io::Error,
    },
    /// The child process that loaded the library first died or rejected it.
    #[error("{0}")]
    Probe(String),
    /// Loading the library in a child process did not end.
    #[error("{0}")]
    Hung(String),
    /// The library could not be read as one.
    #[error("{0}")]
    Unreadable(String),
    /// The library is not one that this host can load.
    #[error("{0}")]
    Library(String),
    /// A definition or dependency of the plugin cannot go live.
    #[error("{}", .0.join("; "))]
    Preflight(Vec<String>),
    /// A definition or dependency of the plugin does not fit the other live plugins.
    #[error("{}", .0.join("; "))]
    Unfit(Vec<String>),
    /// The live state does not fit the new code.
    #[error("{}", .0.join("; "))]
    State(Vec<String>),
    /// The plugin's `start` hook failed.
    #[error("{0}")]
    Start(String),
    /// The shared library of the host was rebuilt, so nothing built from now on fits this process.
    #[error(
        "the shared sdk library was rebuilt since this host started; restart the host to go on reloading"
    )]
    SdkChanged,
    /// A newer save arrived while this one was built.
    #[error("a newer save took its place")]
    Superseded,
}

impl SaveError {
    /// Returns whether the only cause may be a half-written file, or a child process that was killed, so that a retry
    /// may succeed.
    pub fn is_passing(&self) -> bool {
        use std::os::unix::process::ExitStatusExt as _;
        match self {
            Self::Probe(_) | Self::Unreadable(_) | Self::Io { .. } => true,
            Self::Compiler { status, .. } => status.signal().is_some(),
            Self::Compile(findings) => {
                findings.linking.len() == findings.errors
                    && findings.linking.iter().any(LinkFailure::is_passing)
            }
            _ => false,
        }
    }

    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

/// Why reloading cannot begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The workspace could not be read.
    #[error("hot reload cannot read the workspace: {0}")]
    Workspace(SaveError),
    /// The file watcher could not be set up.
    #[error("hot reload cannot watch {}: {source}; set HMR_POLL_MS to poll instead", path.display())]
    Watch {
        /// Folder.
        path: PathBuf,
        /// Watcher's reason.
        source: notify::Error,
    },
    /// The supervisor process could not do its work.
    #[error("the bot cannot be supervised: {0}")]
    Supervisor(io::Error),
    /// The child process for probing could not be started.
    #[error("hot reload cannot start a probe process: {0}")]
    Probe(io::Error),
}
