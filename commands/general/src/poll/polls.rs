//! All stored polls, and their limits.

use std::collections::BTreeMap;

use sdk::prelude::serenity::{GuildId, UserId};
use sdk::prelude::{Refusal, State};
use sdk::state::MAX_BYTES;
use serde::{Deserialize, Serialize};

use super::ballot::{Ballot, Button, OVER};

/// Maximum number of open polls of one user, in all servers.
const OF_USER: usize = 5;
/// Maximum number of open polls of one server.
const OF_GUILD: usize = 25;
/// Maximum number of closed polls that are kept for one server. The oldest are forgotten first.
const ENDED: usize = 25;
/// Maximum number of polls of all servers. Each has a timer.
const ALL: usize = 2_000;
/// Maximum number of votes of one poll.
const VOTES: usize = 10_000;

/// Polls that are open or were recently closed.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Polls {
    /// By the id of the interaction that created them.
    ballots: BTreeMap<String, Ballot>,
    /// The result of [`Polls::bytes`], once computed.
    #[serde(skip)]
    bytes: Option<usize>,
}

impl State for Polls {}

impl Polls {
    /// Adds a new poll. Returns the ids of those that were forgotten to make room.
    pub(super) fn add(&mut self, id: &str, ballot: Ballot) -> Result<Vec<String>, Refusal> {
        let open =
            |is: &dyn Fn(&Ballot) -> bool| self.ballots.values().filter(|one| !one.closed && is(one)).count();
        if open(&|one| one.creator() == ballot.creator()) >= OF_USER {
            return Err(Refusal::new(format!(
                "You have {OF_USER} open polls, which is the most for one person; close one of them first."
            )));
        }
        if open(&|one| one.guild() == ballot.guild()) >= OF_GUILD {
            return Err(Refusal::new(format!(
                "This server has {OF_GUILD} open polls, which is the most; one of them has to be closed first."
            )));
        }
        let forgotten = self.forget_ended(ballot.guild());
        let bytes = self.bytes() + size(id, &ballot);
        if self.ballots.len() >= ALL || bytes > MAX_BYTES {
            return Err(Refusal::new(
                "I count as many polls as I can; try again when some of them are over.",
            ));
        }
        self.ballots.insert(id.to_owned(), ballot);
        self.bytes = Some(bytes);
        Ok(forgotten)
    }

    /// Performs the action of a button. Returns the updated poll.
    pub(super) fn press(
        &mut self,
        id: &str,
        user: UserId,
        may_manage: bool,
        button: Button,
    ) -> Result<Ballot, Refusal> {
        let bytes = self.bytes();
        let has_room = bytes + Ballot::VOTE <= MAX_BYTES;
        let ballot = self.ballots.get_mut(id).ok_or(Refusal::new(OVER))?;
        let adds = !ballot.closed && matches!(button, Button::Answer(_)) && !ballot.has_voted(user);
        if adds && (ballot.votes() >= VOTES || !has_room) {
            let words = "This poll has as many votes as I count; those that are there can still be moved.";
            return Err(Refusal::new(words));
        }
        let before = ballot.bytes();
        ballot.press(user, may_manage, button).map_err(Refusal::new)?;
        self.bytes = Some(bytes - before + ballot.bytes());
        Ok(ballot.clone())
    }

    pub(super) fn get(&self, id: &str) -> Option<&Ballot> {
        self.ballots.get(id)
    }

    pub(super) fn remove(&mut self, id: &str) {
        if let (Some(ballot), Some(bytes)) = (self.ballots.remove(id), &mut self.bytes) {
            *bytes -= size(id, &ballot);
        }
    }

    /// Closes a poll whose time is up and returns it. A poll that is closed already is forgotten.
    pub(super) fn due(&mut self, id: &str) -> Option<Ballot> {
        match self.ballots.get_mut(id) {
            Some(ballot) if !ballot.closed => {
                ballot.closed = true;
                Some(ballot.clone())
            }
            _ => {
                self.remove(id);
                None
            }
        }
    }

    /// Forgets closed polls of a server until there is room for another one. Returns their ids.
    fn forget_ended(&mut self, guild: Option<GuildId>) -> Vec<String> {
        let ended = self.ballots.iter().filter(|(_, ballot)| ballot.closed && ballot.guild() == guild);
        // Ids grow with time.
        let mut ended: Vec<_> =
            ended.map(|(id, _)| (id.parse::<u64>().unwrap_or_default(), id.clone())).collect();
        ended.sort_unstable();
        ended.truncate(ended.len().saturating_sub(ENDED));
        for (_, id) in &ended {
            self.remove(id);
        }
        ended.into_iter().map(|(_, id)| id).collect()
    }

    /// Returns an upper bound for the size in bytes of all polls as JSON.
    fn bytes(&mut self) -> usize {
        let frame = r#"{"ballots":{}}"#.len();
        let all = || frame + self.ballots.iter().map(|(id, ballot)| size(id, ballot)).sum::<usize>();
        *self.bytes.get_or_insert_with(all)
    }
}

/// Returns an upper bound for the size in bytes of a poll as JSON, with its id.
fn size(id: &str, ballot: &Ballot) -> usize {
    id.len() + 4 + ballot.bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ballot(guild: u64, user: u64) -> Ballot {
        let answers = ["Soup", "Salad"].map(str::to_owned);
        Ballot::new("Lunch?", answers.iter(), UserId::new(user), Some(GuildId::new(guild)), 0).unwrap()
    }

    /// Returns that many polls, each by a different user.
    fn with(count: usize, guild: impl Fn(usize) -> u64) -> Polls {
        let mut polls = Polls::default();
        for number in 0..count {
            polls.add(&number.to_string(), ballot(guild(number), 100 + number as u64)).unwrap();
        }
        polls
    }

    fn refused(polls: &mut Polls, ballot: Ballot) -> String {
        polls.add("new", ballot).unwrap_err().to_string()
    }

    #[test]
    fn one_person_has_so_many_open_polls_wherever_they_are() {
        let mut polls = Polls::default();
        for number in 0..OF_USER {
            polls.add(&number.to_string(), ballot(number as u64 + 1, 7)).unwrap();
        }
        assert!(refused(&mut polls, ballot(99, 7)).starts_with("You have 5 open polls"));
        polls.add("other", ballot(1, 8)).unwrap();
        polls.press("0", UserId::new(7), false, Button::Close).unwrap();
        polls.add("new", ballot(99, 7)).unwrap();
    }

    #[test]
    fn a_server_has_so_many_open_polls() {
        let mut polls = with(OF_GUILD, |_| 1);
        assert!(refused(&mut polls, ballot(1, 7)).starts_with("This server has 25 open polls"));
        polls.add("elsewhere", ballot(2, 7)).unwrap();
        assert!(polls.due("0").is_some());
        polls.add("new", ballot(1, 7)).unwrap();
    }

    #[test]
    fn who_asks_and_closes_again_and_again_is_remembered_so_often() {
        let mut polls = Polls::default();
        let mut forgotten = Vec::new();
        for number in 0..200 {
            let id = number.to_string();
            forgotten.extend(polls.add(&id, ballot(1, 7)).unwrap());
            polls.press(&id, UserId::new(7), false, Button::Close).unwrap();
        }
        // By age, not in the order of texts.
        let expected: Vec<_> = (0..200 - ENDED - 1).map(|number| number.to_string()).collect();
        assert_eq!(forgotten, expected);
        assert_eq!(polls.ballots.len(), ENDED + 1);
        assert_eq!(polls.press("0", UserId::new(8), false, Button::Answer(0)), Err(Refusal::new(OVER)));
    }

    #[test]
    fn there_are_so_many_polls_in_all() {
        let mut polls = with(ALL, |number| 1 + number as u64 / OF_GUILD as u64);
        assert!(refused(&mut polls, ballot(1_000_000, 7)).contains("as many polls as I can"));
        assert!(polls.due("0").is_some() && polls.due("0").is_none(), "it is forgotten when it is due again");
        polls.add("new", ballot(1_000_000, 7)).unwrap();
    }

    #[test]
    fn a_poll_counts_so_many_votes_and_moves_them_after() {
        let mut polls = with(1, |_| 1);
        for user in 0..VOTES as u64 {
            polls.press("0", UserId::new(1_000 + user), false, Button::Answer(0)).unwrap();
        }
        let late = UserId::new(7);
        let words = polls.press("0", late, false, Button::Answer(0)).unwrap_err().to_string();
        assert!(words.contains("as many votes as I count"), "{words}");
        polls.press("0", UserId::new(1_000), false, Button::Answer(1)).unwrap();
        // A removed vote makes room.
        polls.press("0", UserId::new(1_000), false, Button::Answer(1)).unwrap();
        polls.press("0", late, false, Button::Answer(0)).unwrap();
        assert!(polls.press("0", UserId::new(100), false, Button::Close).unwrap().closed);
    }

    #[test]
    fn the_account_is_never_more_than_its_bytes_say_and_these_are_bounded() {
        let nasty = |length: usize| "\"\\ü\u{10ffff}".chars().cycle().take(length).collect::<String>();
        let mut polls = Polls::default();
        let mut refused = None;
        for number in 0_u64.. {
            let id = (u64::MAX - number).to_string();
            let answers = [1, 2, 3, 4, 5].map(|answer| nasty(80 - answer));
            let (user, guild) = (UserId::new(u64::MAX - number), GuildId::new(u64::MAX - number));
            let ballot = Ballot::new(&nasty(250), answers.iter(), user, Some(guild), i64::MIN).unwrap();
            let added = polls.add(&id, ballot);
            if let Err(why) = added {
                refused = Some(why.to_string());
                break;
            }
            for voter in 0..20 {
                let voted = polls.press(&id, UserId::new(u64::MAX - voter), false, Button::Answer(4));
                if let Err(why) = voted {
                    refused = Some(why.to_string());
                }
            }
        }
        assert!(refused.is_some());
        let (bytes, told) = (serde_json::to_vec(&polls).unwrap().len(), polls.bytes());
        assert!(bytes <= told && told <= MAX_BYTES, "{bytes} of {told}");
        polls.bytes = None;
        assert_eq!(polls.bytes(), told, "what was added up is what it comes to");
        polls.remove(&(u64::MAX - 3).to_string());
        let removed = polls.bytes();
        polls.bytes = None;
        assert_eq!(polls.bytes(), removed);
        assert!(bytes > MAX_BYTES / 2, "{bytes}: it is the bytes that were refused");
        let read: Polls = serde_json::from_slice(&serde_json::to_vec(&polls).unwrap()).unwrap();
        assert_eq!(read.ballots.len(), polls.ballots.len());
    }
}
