//! The limit of files and connections that the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// A limit that is enough for every guild's player, the gateway and REST. A higher one stays unchanged.
const ENOUGH: u64 = 65_536;

/// Raises the soft limit of open files, which is 1024 on most systems, as far as the hard limit allows.
///
/// Each player, gateway and request needs some. Programs that the bot starts inherit the limit.
pub(crate) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Some(raised) = raised(limit) {
        // If this fails, the bot works with the old limit.
        let _ = setrlimit(Resource::Nofile, raised);
    }
}

/// Returns the limit to set; `None` if the soft one is high enough already.
fn raised(limit: Rlimit) -> Option<Rlimit> {
    let most = limit.maximum.unwrap_or(ENOUGH).min(ENOUGH);
    (limit.current? < most).then_some(Rlimit { current: Some(most), maximum: limit.maximum })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_goes_as_far_as_is_enough_or_allowed_and_never_down() {
        for (current, maximum, expected) in [
            (Some(1024), Some(1_048_576), Some(ENOUGH)),
            (Some(1024), Some(4096), Some(4096)),
            (Some(1024), None, Some(ENOUGH)),
            (Some(ENOUGH), None, None),
            (Some(1_000_000), Some(1_000_000), None),
            (None, None, None),
        ] {
            let raised = raised(Rlimit { current, maximum });
            assert_eq!(raised.as_ref().and_then(|limit| limit.current), expected, "{current:?} {maximum:?}");
            assert!(raised.is_none_or(|limit| limit.maximum == maximum));
        }
    }
}
