//! The limits of reloading, read again for each reload.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use sdk_core::handover::{HandoverPolicy, OnIncompatible};

/// How reloading handles state, failures and time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether a plugin's state is transferred from one generation to the next.
    pub preserve_state: bool,
    /// How a swap whose state cannot be restored is handled.
    pub unfit_state: UnfitState,
    /// Whether a child process loads a library first, and preflight checks it.
    pub validate: bool,
    /// Whether the plugins that depend on a reloaded one reload with it.
    pub dependents: bool,
    /// Longest time that calls to a plugin are held while its state is transferred.
    pub handover: Duration,
    /// Further attempts after a load that failed.
    pub retries: u32,
    /// Calls for which a new generation is on probation. With 0 there is no probation.
    pub probation_calls: u64,
    /// Longest time that a new generation is on probation.
    pub probation: Duration,
    /// Longest time for a `start` or `stop` hook.
    pub hook_deadline: Duration,
    /// Bytes of retired code above which a restart is proposed.
    pub memory_budget: u64,
}

/// How a swap is handled if a plugin's state cannot be restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnfitState {
    /// The swap is refused, and the old generation stays live with its state.
    #[default]
    Refuse,
    /// The plugin starts from its default, and the log contains what was lost.
    StartFromDefault,
}

/// A [`Policy`] that can be replaced while the engine runs.
///
/// Load it once for each reload, so that one reload follows one policy.
pub type SharedPolicy = Arc<ArcSwap<Policy>>;

impl Default for Policy {
    fn default() -> Self {
        Self {
            preserve_state: true,
            unfit_state: UnfitState::Refuse,
            validate: true,
            dependents: true,
            handover: Duration::from_millis(250),
            retries: 2,
            probation_calls: 20,
            probation: Duration::from_mins(1),
            hook_deadline: Duration::from_secs(5),
            memory_budget: 256 << 20,
        }
    }
}

impl Policy {
    /// Returns the policy for the transfer of state.
    pub fn handover(&self) -> HandoverPolicy {
        let on_incompatible = match self.unfit_state {
            UnfitState::Refuse => OnIncompatible::Refuse,
            UnfitState::StartFromDefault => OnIncompatible::Default,
        };
        HandoverPolicy { preserve: self.preserve_state, deadline: self.handover, on_incompatible }
    }

    /// Wraps the policy so that it can be replaced while the engine runs.
    pub fn shared(self) -> SharedPolicy {
        Arc::new(ArcSwap::from_pointee(self))
    }
}
