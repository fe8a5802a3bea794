//! The meanings of a lost voice connection, as a table, and how often the bot tries to rejoin.
//!
//! Source: "Voice Close Event Codes" in Discord's documentation. A code that is not in the table is handled as Discord
//! asks for unknown codes: the bot rejoins with a new session, a bounded number of times.

use std::time::Duration;

use songbird::error::ConnectionError;
use songbird::events::context_data::DisconnectReason;
use songbird::model::CloseCode;

/// Attempts to rejoin before the bot gives up.
pub(super) const ATTEMPTS: u32 = 5;
/// Wait before the second attempt. Each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait before an attempt.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// Time that a connection must last before its loss counts as the first one again.
pub(super) const STEADY_AFTER: Duration = Duration::from_secs(30);

/// Why a voice connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Discord closed the voice gateway with this code.
    Closed(u16),
    /// The network, or a server that did not answer.
    Network,
    /// songbird and the server did not understand each other.
    Protocol,
    /// Discord's gateway did not send where to connect.
    NoAnswer,
}

/// How the bot handles it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// songbird resumes the session by itself.
    Resumes,
    /// The bot asks for a new session, after a wait that grows.
    Rejoin,
    /// The bot waits for an event about a move or another server, and leaves if there is none.
    Await,
    /// The bot leaves. Another attempt would end the same way.
    Final,
}

impl Loss {
    /// Reads songbird's reason for the end of a connection. Returns `None` if the end was requested.
    pub(super) fn of(reason: Option<&DisconnectReason>) -> Option<Self> {
        Some(match reason {
            None | Some(DisconnectReason::Requested | DisconnectReason::AttemptDiscarded) => return None,
            Some(DisconnectReason::WsClosed(Some(code))) => Self::Closed(number(*code)),
            Some(DisconnectReason::ProtocolViolation) => Self::Protocol,
            Some(_) => Self::Network,
        })
    }

    /// Reads why songbird could not connect. Returns `None` if another attempt replaced this one.
    pub(super) fn of_attempt(error: &ConnectionError) -> Option<Self> {
        Self::of(Some(&DisconnectReason::from(error)))
    }

    /// Returns how the bot handles it.
    pub(super) const fn policy(self) -> Policy {
        match self {
            // 4009: session timeout; 4015: the voice server crashed.
            Self::Closed(4009 | 4015) => Policy::Resumes,
            // 4014: disconnected, by a moderator, by a move, or with the gateway session; 4022: the call ended, with
            // the channel, or because it moved to another server.
            Self::Closed(4014 | 4022) => Policy::Await,
            // 4004: authentication failed; 4016: unknown encryption mode; 4017: end-to-end encryption required;
            // 4021: rate limited.
            Self::Closed(4004 | 4016 | 4017 | 4021) => Policy::Final,
            Self::Closed(_) | Self::Network | Self::Protocol | Self::NoAnswer => Policy::Rejoin,
        }
    }

    /// Returns a clause on what happened.
    pub(super) fn words(self) -> String {
        let known = match self {
            Self::Network => return "the voice server cannot be reached".to_owned(),
            Self::Protocol => return "the voice server answered in an unknown way".to_owned(),
            Self::NoAnswer => {
                return "Discord did not answer; the channel may be full, or the bot may lack the permission to connect"
                    .to_owned();
            }
            Self::Closed(code) => match code {
                4004 => "Discord refused the voice session",
                4006 => "the voice session is not valid any more",
                4009 => "the voice session timed out",
                4011 => "the voice server was not found",
                4014 => "the bot was disconnected from the channel",
                4015 => "the voice server crashed",
                4016 => "Discord does not know the encryption",
                4017 => "the channel requires end-to-end encryption that this bot does not speak",
                4021 => "Discord limits the bot's voice connections",
                4022 => "the call has ended",
                _ => "Discord closed the voice connection",
            },
        };
        match self {
            Self::Closed(code) => format!("{known} (close code {code})"),
            _ => known.to_owned(),
        }
    }
}

/// Converts songbird's name of a code to the number that Discord sent.
fn number(code: CloseCode) -> u16 {
    code as u16
}

/// Counts attempts to rejoin: one series for each loss of a steady connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Attempts(u32);

impl Attempts {
    /// Returns the number of the last attempt, from 1; 0 before the first.
    pub(super) const fn made(self) -> u32 {
        self.0
    }

    /// Counts an attempt and returns the wait before it; `None` if there were enough.
    pub(super) fn another(&mut self) -> Option<Duration> {
        if self.0 >= ATTEMPTS {
            return None;
        }
        self.0 += 1;
        // The first follows at once: most losses are over by then.
        let doublings = self.0.checked_sub(2);
        Some(doublings.map_or(Duration::ZERO, |doublings| {
            FIRST_WAIT.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_WAIT)
        }))
    }

    /// Starts a new series, because a connection has lasted.
    pub(super) fn reset(&mut self) {
        self.0 = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_close_code_of_discord_has_its_policy() {
        let table = [
            (4001, Policy::Rejoin),
            (4002, Policy::Rejoin),
            (4003, Policy::Rejoin),
            (4004, Policy::Final),
            (4005, Policy::Rejoin),
            (4006, Policy::Rejoin),
            (4009, Policy::Resumes),
            (4011, Policy::Rejoin),
            (4012, Policy::Rejoin),
            (4014, Policy::Await),
            (4015, Policy::Resumes),
            (4016, Policy::Final),
            (4017, Policy::Final),
            (4020, Policy::Rejoin),
            (4021, Policy::Final),
            (4022, Policy::Await),
            // Not in the table.
            (1000, Policy::Rejoin),
            (4000, Policy::Rejoin),
            (4900, Policy::Rejoin),
        ];
        for (code, policy) in table {
            let loss = Loss::Closed(code);
            assert_eq!(loss.policy(), policy, "{code}");
            assert!(loss.words().contains(&code.to_string()), "{}", loss.words());
        }
    }

    #[test]
    fn songbirds_reasons_are_read_with_their_codes() {
        let closed = |code| DisconnectReason::WsClosed(Some(code));
        assert_eq!(Loss::of(Some(&closed(CloseCode::CallTerminated))), Some(Loss::Closed(4022)));
        assert_eq!(Loss::of(Some(&closed(CloseCode::DaveProtocolRequired))), Some(Loss::Closed(4017)));
        assert_eq!(Loss::of(Some(&DisconnectReason::WsClosed(None))), Some(Loss::Network));
        assert_eq!(Loss::of(Some(&DisconnectReason::TimedOut)), Some(Loss::Network));
        assert_eq!(Loss::of(Some(&DisconnectReason::Requested)), None);
        assert_eq!(Loss::of(None), None);
    }

    #[test]
    fn attempts_wait_longer_each_time_and_end() {
        let mut attempts = Attempts::default();
        let waits: Vec<_> = std::iter::from_fn(|| attempts.another().map(|wait| wait.as_secs())).collect();
        assert_eq!(waits, [0, 1, 2, 4, 8]);
        assert_eq!(attempts.made(), ATTEMPTS);
        attempts.reset();
        assert_eq!(attempts.another(), Some(Duration::ZERO));
    }
}
