//! The fault rules in force, and the one that strikes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sandbox_net::Strike;
use serde::Serialize;

use super::rule::{ConnectEffect, GatewayEffect, GatewayRule, On, RequestEffect, Rule};
use crate::snowflake::Snowflake;
use sandbox_voice::fault::{Direction, VoiceConnectEffect, VoiceEffect, VoicePlace, VoiceServerEffect};

/// Handle to the fault rules. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    rules: Mutex<Rules>,
    /// Length of the list. Without rules, the common case, the lock is not taken.
    active: AtomicUsize,
}

#[derive(Debug, Default)]
struct Rules {
    list: Vec<Active>,
    last_id: u64,
}

#[derive(Debug)]
struct Active {
    id: u64,
    rule: Rule,
    matched: u64,
    struck: u64,
    until: Option<Instant>,
}

/// The state of a rule.
#[derive(Clone, Debug, Serialize)]
pub struct RuleState {
    /// Number of the rule.
    pub id: u64,
    /// The rule.
    pub rule: Rule,
    /// How often it has matched.
    pub matched: u64,
    /// How often it has struck.
    pub struck: u64,
    /// Whether it will not strike any more.
    pub used_up: bool,
}

/// Where on the gateway something happens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place<'a> {
    /// Name of the event that is dispatched.
    pub event: Option<&'a str>,
    /// Opcode that was received.
    pub op: Option<u64>,
    /// Bot, once it is known.
    pub bot: Option<Snowflake>,
    /// Session, once there is one.
    pub session: Option<&'a str>,
    /// Shard id, once it is known.
    pub shard: Option<u32>,
}

impl Faults {
    /// Adds a rule and returns its number.
    pub fn add(&self, rule: Rule) -> u64 {
        let mut rules = self.shared.rules.lock();
        rules.last_id += 1;
        let id = rules.last_id;
        let until = rule.for_ms.map(|ms| Instant::now() + Duration::from_millis(ms));
        rules.list.push(Active { id, rule, matched: 0, struck: 0, until });
        self.shared.active.store(rules.list.len(), Ordering::Release);
        id
    }

    /// Removes a rule. Returns whether there was one with this number.
    pub fn remove(&self, id: u64) -> bool {
        let mut rules = self.shared.rules.lock();
        let before = rules.list.len();
        rules.list.retain(|active| active.id != id);
        self.shared.active.store(rules.list.len(), Ordering::Release);
        rules.list.len() < before
    }

    /// Removes all rules and returns how many there were.
    pub fn clear(&self) -> usize {
        let mut rules = self.shared.rules.lock();
        self.shared.active.store(0, Ordering::Release);
        std::mem::take(&mut rules.list).len()
    }

    /// Returns all rules, including those that are used up.
    pub fn list(&self) -> Vec<RuleState> {
        let now = Instant::now();
        let rules = self.shared.rules.lock();
        rules.list.iter().map(|active| active.state(now)).collect()
    }

    /// Returns the rule that strikes this request. `path` is without version and query.
    pub fn on_request(&self, method: &str, path: &str) -> Option<Strike<RequestEffect>> {
        self.strike(|on| match on {
            On::Request(rule) => {
                let method_fits =
                    rule.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
                let path_fits = || rule.path.as_ref().is_none_or(|pattern| path_matches(pattern, path));
                (method_fits && path_fits()).then(|| rule.effect.clone())
            }
            _ => None,
        })
    }

    /// Returns the rule that strikes an event about to be written.
    pub fn on_dispatch(&self, place: Place<'_>) -> Option<Strike<GatewayEffect>> {
        self.strike(|on| match on {
            On::Dispatch(rule) => rule.fits(place).then(|| rule.effect.clone()),
            _ => None,
        })
    }

    /// Returns the rule that strikes a request to an endpoint of an application: of those for events, one whose effect needs
    /// no connection to the gateway.
    pub fn on_delivery(&self, place: Place<'_>) -> Option<Strike<GatewayEffect>> {
        self.strike(|on| match on {
            On::Dispatch(rule) if rule.effect.is_for_deliveries() => {
                rule.fits(place).then(|| rule.effect.clone())
            }
            _ => None,
        })
    }

    /// Returns the rule that strikes a received payload.
    pub fn on_received(&self, place: Place<'_>) -> Option<Strike<GatewayEffect>> {
        self.strike(|on| match on {
            On::Received(rule) => rule.fits(place).then(|| rule.effect.clone()),
            _ => None,
        })
    }

    /// Returns the rule that strikes a new connection.
    pub fn on_connect(&self) -> Option<Strike<ConnectEffect>> {
        self.strike(|on| match on {
            On::Connect(rule) => Some(rule.effect),
            _ => None,
        })
    }

    /// Returns the rule that strikes a VOICE_SERVER_UPDATE.
    pub fn on_voice_server(&self, place: VoicePlace) -> Option<Strike<VoiceServerEffect>> {
        self.strike(|on| match on {
            On::VoiceServer(rule) => rule.fits(place).then_some(rule.effect),
            _ => None,
        })
    }

    /// Returns the rule that strikes a new websocket of a voice server.
    pub fn on_voice_connect(&self) -> Option<Strike<VoiceConnectEffect>> {
        self.strike(|on| match on {
            On::VoiceConnect(rule) => Some(rule.effect),
            _ => None,
        })
    }

    /// Returns the rule that strikes a payload of a voice client.
    pub fn on_voice_received(&self, place: VoicePlace) -> Option<Strike<VoiceEffect>> {
        self.strike(|on| match on {
            On::VoiceReceived(rule) => rule.fits(place).then(|| rule.effect.clone()),
            _ => None,
        })
    }

    /// Returns the rule by which a UDP packet is lost.
    pub fn on_voice_packet(&self, way: Direction, place: VoicePlace) -> Option<Strike<()>> {
        self.strike(|on| match on {
            On::VoicePacket(rule) => rule.hits(way, place).then_some(()),
            _ => None,
        })
    }

    fn strike<E>(&self, effect: impl Fn(&On) -> Option<E>) -> Option<Strike<E>> {
        if self.shared.active.load(Ordering::Acquire) == 0 {
            return None;
        }
        let now = Instant::now();
        let mut rules = self.shared.rules.lock();
        rules.list.iter_mut().filter(|active| !active.used_up(now)).find_map(|active| {
            let effect = effect(&active.rule.on)?;
            active.matched += 1;
            (active.matched > active.rule.skip).then(|| {
                active.struck += 1;
                let delay = Duration::from_millis(active.rule.delay_ms);
                Strike { rule: active.id, times: active.struck, delay, effect }
            })
        })
    }
}

impl Active {
    fn used_up(&self, now: Instant) -> bool {
        self.rule.count.is_some_and(|count| self.struck >= count)
            || self.until.is_some_and(|until| now >= until)
    }

    fn state(&self, now: Instant) -> RuleState {
        RuleState {
            id: self.id,
            rule: self.rule.clone(),
            matched: self.matched,
            struck: self.struck,
            used_up: self.used_up(now),
        }
    }
}

impl GatewayRule {
    fn fits(&self, place: Place<'_>) -> bool {
        self.event.as_deref().is_none_or(|event| place.event == Some(event))
            && self.op.is_none_or(|op| place.op == Some(op))
            && self.bot.is_none_or(|bot| place.bot == Some(bot))
            && self.session.as_deref().is_none_or(|session| place.session == Some(session))
            && self.shard.is_none_or(|shard| place.shard == Some(shard))
    }
}

/// Returns whether a path matches a pattern: `*` or `{name}` matches any one segment, a final `**` any rest, including
/// none.
fn path_matches(pattern: &str, path: &str) -> bool {
    let mut path = path.split('/').filter(|segment| !segment.is_empty());
    for wanted in pattern.split('/').filter(|segment| !segment.is_empty()) {
        if wanted == "**" {
            return true;
        }
        let Some(segment) = path.next() else { return false };
        let any = wanted == "*" || (wanted.starts_with('{') && wanted.ends_with('}'));
        if !any && wanted != segment {
            return false;
        }
    }
    path.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::{Faults, Place, path_matches};
    use crate::fault::{ErrorBody, GatewayEffect, GatewayRule, On, RequestEffect, RequestRule, Rule};

    #[test]
    fn patterns_match_segment_by_segment() {
        for (pattern, path, fits) in [
            ("/channels/*/messages", "/channels/1/messages", true),
            ("/channels/{channel.id}/messages", "/channels/1/messages", true),
            ("/channels/*/messages", "/channels/1/messages/2", false),
            ("/channels/**", "/channels/1/messages/2", true),
            ("/channels/**", "/channels", true),
            ("/channels/*", "/channels", false),
            ("/gateway", "/gateway/bot", false),
        ] {
            assert_eq!(path_matches(pattern, path), fits, "{pattern} on {path}");
        }
    }

    #[test]
    fn a_rule_skips_strikes_and_is_used_up() {
        let faults = Faults::default();
        let effect = RequestEffect::Respond { status: 503, body: ErrorBody::Html };
        let on = On::Request(RequestRule { path: Some("/a".into()), effect, ..RequestRule::default() });
        faults.add(Rule::new(on).after(2).times(2));
        let struck: Vec<_> = (0..6).map(|_| faults.on_request("GET", "/a").is_some()).collect();
        assert_eq!(struck, [false, false, true, true, false, false]);
        assert!(faults.list()[0].used_up);
    }

    #[test]
    fn a_request_to_an_endpoint_is_struck_by_rules_for_events_without_a_connection() {
        let faults = Faults::default();
        let rule = |effect| {
            Rule::new(On::Dispatch(GatewayRule { event: Some("A".into()), effect, ..GatewayRule::default() }))
        };
        faults.add(rule(GatewayEffect::Reconnect));
        let second = faults.add(rule(GatewayEffect::Ignore));
        let place = Place { event: Some("A"), ..Place::default() };
        assert_eq!(faults.on_delivery(place).map(|strike| strike.rule), Some(second));
        assert!(faults.on_delivery(Place { event: Some("B"), ..Place::default() }).is_none());
        assert_eq!(faults.list()[0].matched, 0);
    }

    #[test]
    fn a_younger_rule_gets_what_an_older_one_lets_pass() {
        let faults = Faults::default();
        let rule = |effect| Rule::new(On::Dispatch(GatewayRule { effect, ..GatewayRule::default() }));
        let first = faults.add(rule(GatewayEffect::Sever).after(1));
        let second = faults.add(rule(GatewayEffect::Ignore));
        let strikes: Vec<_> =
            (0..2).map(|_| faults.on_dispatch(Place::default()).map(|strike| strike.rule)).collect();
        assert_eq!(strikes, [Some(second), Some(first)]);
        assert!(faults.remove(first) && !faults.remove(first));
    }

    #[test]
    fn a_rule_reads_as_documented_and_a_misspelt_field_is_named() {
        let text = r#"{"on": {"received": {"op": 1, "effect": "ignore"}}, "for_ms": 1000}"#;
        let rule: Rule = serde_json::from_str(text).unwrap();
        let GatewayRule { op, effect, .. } = match rule.on {
            On::Received(rule) => rule,
            other => panic!("{other:?}"),
        };
        assert_eq!((op, effect, rule.for_ms), (Some(1), GatewayEffect::Ignore, Some(1000)));
        let typo = serde_json::from_str::<Rule>(r#"{"on": {"connect": {}}, "cuont": 1}"#).unwrap_err();
        assert!(typo.to_string().contains("cuont"), "{typo}");
    }
}
