//! Discord's change log, entry by entry, and what of it the sandbox follows.
//!
//! Entries about the Social SDK, the Embedded App SDK, RPC, and those that only announce guides are left out.

/// An entry of the change log.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// Day, as the change log writes it.
    pub day: &'static str,
    /// Title.
    pub title: &'static str,
    /// Whether the sandbox follows it: here, simplified, missing, or nothing to do.
    pub state: Followed,
    /// What that means here; may be empty.
    pub note: &'static str,
}

/// How an entry is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// In full.
    Here,
    /// In part; the note tells the rest.
    Simplified,
    /// In full, if these operations have a route.
    By(&'static [&'static str]),
    /// It changes nothing that a bot can see.
    Nothing,
}

impl Followed {
    /// Returns the word for the table. `exists` returns whether an operation has a route.
    pub(super) fn word(self, exists: impl Fn(&str) -> bool) -> &'static str {
        match self {
            Self::By(operations) if operations.iter().all(|name| exists(name)) => "here",
            Self::By(_) => "**missing**",
            Self::Here => "here",
            Self::Simplified => "simplified",
            Self::Nothing => "nothing to do",
        }
    }
}

/// Day of the newest entry that was looked at.
pub const FOLLOWED_UP_TO: &str = "August 12, 2026";

const fn here(day: &'static str, title: &'static str, note: &'static str) -> Change {
    Change { day, title, state: Followed::Here, note }
}

const fn simplified(day: &'static str, title: &'static str, note: &'static str) -> Change {
    Change { day, title, state: Followed::Simplified, note }
}

const fn by(day: &'static str, title: &'static str, operations: &'static [&'static str]) -> Change {
    Change { day, title, state: Followed::By(operations), note: "" }
}

const fn nothing(day: &'static str, title: &'static str, note: &'static str) -> Change {
    Change { day, title, state: Followed::Nothing, note }
}

/// The entries since February 2025 that concern bots, newest first.
pub const CHANGES: &[Change] = &[
    here(
        "August 12, 2026",
        "Channel Obfuscation for Users and Bots",
        "In force since 2026-11-16. A channel whose data changes while it is hidden is still announced, without its data.",
    ),
    here("August 5, 2026", "Filter File Types in File Uploads and Attachment Options", ""),
    nothing("August 5, 2026", "Channel application_id is Now Nullable", "No channel here has the field."),
    here("July 16, 2026", "Resolved Channel app_permissions in Interactions", ""),
    nothing("July 7, 2026", "Deprecation: Riot Games Connections", "It needs a Bearer token."),
    here("June 24, 2026", "Attachment Editing and is_spoiler Param", ""),
    by("June 16, 2026", "Documentation Fix: Subscription Status Values", &["get_sku_subscriptions"]),
    simplified(
        "June 10, 2026",
        "Changes to Privileged Intent Access",
        "Each intent can be switched per bot; there is no review above 10,000 users.",
    ),
    by("June 3, 2026", "New Lobby HTTP API Endpoints", &["create_or_join_lobby", "create_lobby_message"]),
    here("May 7, 2026", "New flags_new Field on Application Object", ""),
    here("May 5, 2026", "User Premium Type Field Now Requires A Scope", "`premium_type` is 0."),
    by("April 24, 2026", "Voice Muting Based on Player Blocks Guide", &["bulk_update_lobby_members"]),
    here("April 20, 2026", "Voice Channel Status and Start Time Documentation", ""),
    simplified(
        "April 14, 2026",
        "Message Forwarding Requires Message Content Access",
        "160014 with status 400; Discord documents no status.",
    ),
    by("March 19, 2026", "Search Guild Messages Endpoint", &["guild_search"]),
    here("March 3, 2026", "Updates to Context Menu Commands", "15 of each type."),
    by(
        "February 20, 2026",
        "Server-Side Message Moderation",
        &[
            "update_lobby_message_external_moderation_metadata",
            "update_user_message_external_moderation_metadata",
        ],
    ),
    here("February 12, 2026", "Radio Groups, Checkbox Groups, and Checkboxes in Modals", ""),
    by("February 5, 2026", "Community Invites Update", &["get_invite_target_users"]),
    by(
        "January 13, 2026",
        "New Invite Endpoints",
        &["get_invite_target_users", "update_invite_target_users", "get_invite_target_users_job_status"],
    ),
    here("December 9, 2025", "Get Guild Role Member Counts Endpoint", ""),
    here(
        "November 24, 2025",
        "Permission Changes Going into Effect February 2026",
        "The new permission is needed wherever the operation is here.",
    ),
    here("November 24, 2025", "New BYPASS_SLOWMODE Permission", "Users wait in slow mode, bots do not."),
    by(
        "November 20, 2025",
        "Guild Expressions and Events Permissions",
        &["create_guild_emoji", "create_guild_sticker", "create_guild_scheduled_event"],
    ),
    here("October 15, 2025", "File Upload Component in Modals", ""),
    here("September 10, 2025", "More Modal Components", ""),
    here(
        "September 10, 2025",
        "Banner, Avatar, and Bio on Modify Current Member",
        "The pictures have a hash and no file; no object of the API shows the bio.",
    ),
    here("September 2, 2025", "Deprecating Non-E2EE Voice Calls", "DAVE is required, except on stages."),
    here("August 25, 2025", "New Modal Components", ""),
    here("August 20, 2025", "Pin Permission Split", ""),
    here(
        "August 14, 2025",
        "Rate Limit for Request Guild Members",
        "`serve --member-list-every 0` turns it off.",
    ),
    here("July 28, 2025", "Guild Create Deprecation", "There is no such route."),
    simplified(
        "July 2, 2025",
        "Gradient Roles and Guild Tags",
        "Colours of roles are here; nobody wears a tag, so `primary_guild` is null.",
    ),
    here("June 25, 2025", "Paginated Pin Endpoints", ""),
    here("April 29, 2025", "Raised Component Limits", ""),
    here("April 22, 2025", "Introducing New Components for Messages!", ""),
    here("April 15, 2025", "Deprecating Guild Creation by Apps", ""),
    here(
        "April 3, 2025",
        "Per-Attachment File Upload Behavior for Apps",
        "10 MiB each; no guild here is boosted.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parity::OPERATIONS;

    #[test]
    fn every_named_operation_is_discords() {
        for change in CHANGES {
            let Followed::By(operations) = change.state else { continue };
            for name in operations {
                assert!(OPERATIONS.iter().any(|operation| operation.name == *name), "{name}");
            }
        }
    }
}
