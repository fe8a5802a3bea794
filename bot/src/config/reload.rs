//! The variables of hot reload, and their values in each mode of the bot.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

#[cfg(feature = "hmr")]
use sdk::settings::Environment;

use super::reader::Reader;
use super::value_error::ValueError;
use super::{former, list, value};

/// All variables of hot reload. Any other one that begins with `HMR_` is treated as a misspelling.
pub(super) const RELOAD_VARIABLES: &[&str] = &[
    "ENABLE_HMR",
    "HMR_DEBOUNCE_MS",
    "HMR_EXTENSIONS",
    "HMR_HANDOVER_MS",
    "HMR_IGNORE",
    "HMR_INCOMPATIBLE_STATE",
    "HMR_MAX_RETRIES",
    "HMR_MEMORY_MB",
    "HMR_POLL_MS",
    "HMR_PRESERVE_STATE",
    "HMR_PROBATION_CALLS",
    "HMR_PROBATION_MS",
    "HMR_RELOAD_DEPENDENTS",
    "HMR_STOP_MS",
    "HMR_VALIDATE",
    "HMR_WORKSPACE",
];

/// Settings of hot reload as set; `None` if the mode decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "hmr"), allow(dead_code))] // Checked in every build, so that a mistake is reported in every build.
pub(crate) struct Reload {
    /// Whether files are watched. Always off in production.
    pub(crate) enabled: bool,
    /// Time without another save before a build starts.
    pub(crate) debounce: Option<Duration>,
    /// Time between two scans of the files. Zero waits for the system's file events, and `None` decides by where the
    /// files are.
    pub(crate) poll: Option<Duration>,
    /// Folder of the repository; `None` means the current folder or one above it.
    pub(crate) workspace: Option<PathBuf>,
    /// Patterns of files that are not watched, in the form of `.gitignore`.
    pub(crate) ignore: Vec<String>,
    /// Extensions of the files that count as sources, without the dot; `None` means the engine's default.
    pub(crate) extensions: Option<Vec<String>>,
    /// Whether state is transferred from one generation to the next.
    pub(crate) preserve_state: Option<bool>,
    /// What happens with state that cannot be restored.
    pub(crate) on_incompatible: OnIncompatible,
    /// Whether a library is first loaded and checked by another process.
    pub(crate) validate: Option<bool>,
    /// Whether dependents reload with their dependencies.
    pub(crate) dependents: Option<bool>,
    /// Longest time for which calls are held while state is transferred.
    pub(crate) handover: Option<Duration>,
    /// Further attempts after a load that failed.
    pub(crate) retries: Option<u32>,
    /// Calls for which a new generation is on probation.
    pub(crate) probation_calls: Option<u64>,
    /// Longest probation of a new generation.
    pub(crate) probation: Option<Duration>,
    /// Time limit of a `start` or `stop` hook.
    pub(crate) hook_deadline: Option<Duration>,
    /// Mebibytes of retired code above which a restart is proposed.
    pub(crate) memory: Option<u64>,
}

/// What happens with state that cannot be restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OnIncompatible {
    /// The old generation stays.
    #[default]
    Refuse,
    /// The plugin starts with its default.
    Default,
}

impl Reload {
    /// Reads the variables of hot reload.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let ms = |range| move |text: &str| value::milliseconds(text, range);
        Self {
            enabled: reader.or_default("ENABLE_HMR", value::switch),
            debounce: reader.read("HMR_DEBOUNCE_MS", ms(0..=10_000)),
            poll: reader.read("HMR_POLL_MS", |text| match text {
                "0" => Ok(Duration::ZERO),
                _ => value::milliseconds(text, 10..=60_000),
            }),
            workspace: reader.read("HMR_WORKSPACE", |text| Ok(PathBuf::from(text))),
            ignore: reader.or_default("HMR_IGNORE", list::patterns),
            extensions: reader.read("HMR_EXTENSIONS", list::extensions),
            preserve_state: reader.read("HMR_PRESERVE_STATE", value::switch),
            on_incompatible: reader.or_default("HMR_INCOMPATIBLE_STATE", on_incompatible),
            validate: reader.read("HMR_VALIDATE", value::switch),
            dependents: reader.read("HMR_RELOAD_DEPENDENTS", value::switch),
            handover: reader.read("HMR_HANDOVER_MS", ms(0..=10_000)),
            retries: reader.read("HMR_MAX_RETRIES", |text| value::number(text, 0..=10)),
            probation_calls: reader.read("HMR_PROBATION_CALLS", |text| value::number(text, 0..=1_000_000)),
            probation: reader.read("HMR_PROBATION_MS", ms(0..=3_600_000)),
            hook_deadline: reader.read("HMR_STOP_MS", ms(10..=60_000)),
            memory: reader.read("HMR_MEMORY_MB", |text| value::number(text, 1..=65_536)),
        }
    }

    /// Returns the engine's policy for a bot in this mode.
    #[cfg(feature = "hmr")]
    pub(crate) fn policy(&self, environment: Environment) -> hmr::Policy {
        let default = match environment {
            // A second attempt would only delay a test.
            Environment::Testing => hmr::Policy {
                handover: Duration::from_millis(100),
                retries: 0,
                hook_deadline: Duration::from_secs(1),
                ..hmr::Policy::default()
            },
            Environment::Development | Environment::Production => hmr::Policy::default(),
        };
        hmr::Policy {
            preserve_state: self.preserve_state.unwrap_or(default.preserve_state),
            unfit_state: match self.on_incompatible {
                OnIncompatible::Refuse => hmr::policy::UnfitState::Refuse,
                OnIncompatible::Default => hmr::policy::UnfitState::StartFromDefault,
            },
            validate: self.validate.unwrap_or(default.validate),
            dependents: self.dependents.unwrap_or(default.dependents),
            handover: self.handover.unwrap_or(default.handover),
            retries: self.retries.unwrap_or(default.retries),
            probation_calls: self.probation_calls.unwrap_or(default.probation_calls),
            probation: self.probation.unwrap_or(default.probation),
            hook_deadline: self.hook_deadline.unwrap_or(default.hook_deadline),
            memory_budget: self.memory.map_or(default.memory_budget, |mebibytes| mebibytes << 20),
        }
    }
}

/// Parses the value for state that cannot be restored.
fn on_incompatible(text: &str) -> Result<OnIncompatible, ValueError> {
    match text.to_ascii_lowercase().as_str() {
        "refuse" => Ok(OnIncompatible::Refuse),
        "default" => Ok(OnIncompatible::Default),
        _ => Err(ValueError::OnIncompatible),
    }
}

/// Returns a warning for each variable with the prefix of hot reload that is not one of its variables.
pub(super) fn misspelt(variables: &BTreeMap<String, String>) -> Vec<String> {
    variables
        .keys()
        .filter(|name| name.starts_with("HMR_") && !RELOAD_VARIABLES.contains(&name.as_str()))
        .filter(|name| former::current(name).is_none())
        .filter_map(|name| {
            let nearest = RELOAD_VARIABLES.iter().min_by_key(|known| strsim::levenshtein(name, known))?;
            Some(format!("{name} is not a variable of hot reload and is ignored; did you mean {nearest}?"))
        })
        .collect()
}
