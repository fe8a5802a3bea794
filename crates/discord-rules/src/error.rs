//! What Discord answers when it refuses a request: an HTTP status, a JSON code, a message and, for a bad body, a tree.

mod form;

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

pub use form::{FieldError, FormErrors, Segment};

/// A refused request, as Discord words it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (HTTP {}, code {code})", status.as_u16())]
pub struct ApiError {
    status: StatusCode,
    code: u32,
    message: String,
    /// Boxed because only a bad body has it and an error is returned by value everywhere.
    errors: Option<Box<FormErrors>>,
}

/// Result of anything that Discord may refuse.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// An error that has no constructor of its own; prefer those that have, since they carry Discord's wording.
    pub fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), errors: None }
    }

    /// Invalid form body (50035) with everything that is wrong in it.
    pub fn form(errors: FormErrors) -> Self {
        Self {
            errors: Some(Box::new(errors)),
            ..Self::new(StatusCode::BAD_REQUEST, 50035, "Invalid Form Body")
        }
    }

    /// Invalid form body with one error, at a path of object keys.
    pub fn field(path: &[&str], error: FieldError) -> Self {
        let mut errors = FormErrors::default();
        errors.push(path.iter().copied().map(Segment::from), error);
        Self::form(errors)
    }

    /// A body of a kind that the route does not read; `readable` are the kinds that it does.
    pub fn wrong_content_type(readable: &[&str]) -> Self {
        let readable = readable.iter().map(|kind| format!("'{kind}'")).collect::<Vec<_>>().join(", ");
        let message = format!("Expected \"Content-Type\" header to be one of {{{readable}}}.");
        Self::field(&[], FieldError::new("CONTENT_TYPE_INVALID", message))
    }

    /// HTTP status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Discord's JSON error code.
    pub fn code(&self) -> u32 {
        self.code
    }

    /// Sentence for a person.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What is wrong with which field, when the body was at fault.
    pub fn errors(&self) -> Option<&FormErrors> {
        self.errors.as_deref()
    }

    /// Body of the answer.
    pub fn to_json(&self) -> Value {
        let mut body = json!({ "message": self.message, "code": self.code });
        if let Some(errors) = &self.errors {
            body["errors"] = errors.to_json();
        }
        body
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, [(CONTENT_TYPE, "application/json")], self.to_json().to_string()).into_response()
    }
}

/// Constructors without parameters: name, HTTP status, JSON code, message as Discord sends it.
macro_rules! documented {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $code:literal, $message:literal;)*) => {
        impl ApiError {
            $($(#[$doc])* pub fn $name() -> Self {
                Self::new(StatusCode::$status, $code, $message)
            })*
        }

        #[cfg(test)]
        const DOCUMENTED: &[(fn() -> ApiError, u32)] = &[$((ApiError::$name, $code)),*];
    };
}

documented! {
    /// No token, or one that nobody has.
    unauthorized = UNAUTHORIZED, 0, "401: Unauthorized";
    /// No such route.
    not_found = NOT_FOUND, 0, "404: Not Found";
    /// The route exists, not with this method.
    method_not_allowed = METHOD_NOT_ALLOWED, 0, "405: Method Not Allowed";
    /// A fault of the server, here always an injected one.
    internal = INTERNAL_SERVER_ERROR, 0, "500: Internal Server Error";
    /// No such application.
    unknown_application = NOT_FOUND, 10002, "Unknown Application";
    /// No such channel, or none that the caller is told of.
    unknown_channel = NOT_FOUND, 10003, "Unknown Channel";
    /// No such guild, or one that the caller is not in.
    unknown_guild = NOT_FOUND, 10004, "Unknown Guild";
    /// No such invite.
    unknown_invite = NOT_FOUND, 10006, "Unknown Invite";
    /// The user is not in this guild.
    unknown_member = NOT_FOUND, 10007, "Unknown Member";
    /// No such message in this channel.
    unknown_message = NOT_FOUND, 10008, "Unknown Message";
    /// The channel has no overwrite for this role or member.
    unknown_overwrite = NOT_FOUND, 10009, "Unknown Overwrite";
    /// A tag that the forum does not have.
    unknown_tag = NOT_FOUND, 10087, "Unknown tag";
    /// No such role in this guild.
    unknown_role = NOT_FOUND, 10011, "Unknown Role";
    /// No such user.
    unknown_user = NOT_FOUND, 10013, "Unknown User";
    /// No such emoji, or not one.
    unknown_emoji = BAD_REQUEST, 10014, "Unknown Emoji";
    /// No such webhook; interaction tokens that are unknown or past their 15 minutes end here as well.
    unknown_webhook = NOT_FOUND, 10015, "Unknown Webhook";
    /// The user is not banned.
    unknown_ban = NOT_FOUND, 10026, "Unknown Ban";
    /// No such sticker.
    unknown_sticker = NOT_FOUND, 10060, "Unknown Sticker";
    /// No such interaction, or its three seconds are over.
    unknown_interaction = NOT_FOUND, 10062, "Unknown interaction";
    /// No such command in this scope.
    unknown_application_command = NOT_FOUND, 10063, "Unknown application command";
    /// The user is in no voice channel.
    unknown_voice_state = NOT_FOUND, 10065, "Unknown Voice State";
    /// The command has no permissions of its own.
    unknown_application_command_permissions = NOT_FOUND, 10066, "Unknown application command permissions";
    /// A route for people only.
    bots_cannot_use = FORBIDDEN, 20001, "Bots cannot use this endpoint";
    /// A route for bots only.
    only_bots_can_use = FORBIDDEN, 20002, "Only bots can use this endpoint";
    /// The token belongs to another application.
    wrong_application = FORBIDDEN, 20012, "You are not authorized to perform this action on this application";
    /// Slowmode of the channel.
    slowmode = TOO_MANY_REQUESTS, 20016, "This action cannot be performed due to slowmode rate limit";
    /// Pins.
    max_pins = BAD_REQUEST, 30003, "Maximum number of pins reached (250)";
    /// Roles.
    max_roles = BAD_REQUEST, 30005, "Maximum number of server roles reached (250)";
    /// Webhooks.
    max_webhooks = BAD_REQUEST, 30007, "Maximum number of webhooks reached (15)";
    /// Different emojis on one message.
    max_reactions = FORBIDDEN, 30010, "Maximum number of reactions reached (20)";
    /// Channels.
    max_channels = BAD_REQUEST, 30013, "Maximum number of server channels reached (500)";
    /// Files.
    max_attachments = BAD_REQUEST, 30015, "Maximum number of attachments in a message reached (10)";
    /// Commands of one type in one scope.
    max_commands = BAD_REQUEST, 30032, "Maximum number of application commands reached";
    /// Command creations of one day in one guild.
    max_daily_command_creates = BAD_REQUEST, 30034, "Max number of daily application command creates has been reached (200)";
    /// Overwrites.
    max_overwrites = BAD_REQUEST, 30060, "Maximum number of channel permission overwrites reached (1000)";
    /// A token that does not reach this far.
    insufficient_token = UNAUTHORIZED, 40001, "Unauthorized";
    /// The whole request.
    entity_too_large = PAYLOAD_TOO_LARGE, 40005, "Request entity too large";
    /// The user may not join.
    banned = FORBIDDEN, 40007, "The user is banned from this guild";
    /// A move in voice for someone who is not there.
    not_in_voice = BAD_REQUEST, 40032, "Target user is not connected to voice.";
    /// A second publication of an announcement.
    already_crossposted = BAD_REQUEST, 40033, "This message has already been crossposted.";
    /// Renaming a command to a name that is taken.
    duplicate_command_name = BAD_REQUEST, 40041, "An application command with that name already exists";
    /// Tags of a forum.
    tag_names = BAD_REQUEST, 40061, "Tag names must be unique";
    /// A tag that only moderators may give, where there is no other.
    no_tag_for_members = BAD_REQUEST, 40066, "There are no tags available that can be set by non-moderators";
    /// A post in a forum that wants one.
    tag_required = BAD_REQUEST, 40067, "A tag is required to create a forum post in this channel";
    /// A second callback to one interaction.
    already_acknowledged = BAD_REQUEST, 40060, "Interaction has already been acknowledged.";
    /// A place that the caller may not see.
    missing_access = FORBIDDEN, 50001, "Missing Access";
    /// Not in direct messages.
    not_in_dm = FORBIDDEN, 50003, "Cannot execute action on a DM channel";
    /// Words of another.
    not_author = FORBIDDEN, 50005, "Cannot edit a message authored by another user";
    /// Nothing in it that a person could see.
    empty_message = BAD_REQUEST, 50006, "Cannot send an empty message";
    /// The user takes no direct messages from the caller.
    cannot_message_user = FORBIDDEN, 50007, "Cannot send messages to this user";
    /// A category, for one.
    not_a_text_channel = BAD_REQUEST, 50008, "Cannot send messages in a non-text channel";
    /// The caller lacks a permission or stands too low.
    missing_permissions = FORBIDDEN, 50013, "Missing Permissions";
    /// A token that is none.
    invalid_token = UNAUTHORIZED, 50014, "Invalid authentication token provided";
    /// A note.
    note_too_long = BAD_REQUEST, 50015, "Note was too long";
    /// Bulk deletion of fewer than two or more than a hundred.
    bulk_delete_count = BAD_REQUEST, 50016, "Provided too few or too many messages to delete. Must provide at least 2 and fewer than 100 messages to delete";
    /// A message can be pinned only where it stands.
    pin_elsewhere = BAD_REQUEST, 50019, "A message can only be pinned to the channel it was sent in";
    /// Messages that Discord itself wrote.
    system_message = FORBIDDEN, 50021, "Cannot execute action on a system message";
    /// Kind of channel.
    wrong_channel_type = BAD_REQUEST, 50024, "Cannot execute action on this channel type";
    /// The second half of a webhook's address; for an interaction its token.
    invalid_webhook_token = UNAUTHORIZED, 50027, "Invalid Webhook Token";
    /// Roles that can't be given, such as those of integrations.
    invalid_role = BAD_REQUEST, 50028, "Invalid Role";
    /// Whom a direct message is for.
    invalid_recipients = BAD_REQUEST, 50033, "Invalid Recipient(s)";
    /// Older than two weeks.
    too_old_for_bulk_delete = BAD_REQUEST, 50034, "You can only bulk delete messages that are under 14 days old.";
    /// `/api/v3`, for one.
    invalid_api_version = BAD_REQUEST, 50041, "Invalid API version";
    /// One file.
    file_too_large = BAD_REQUEST, 50045, "File uploaded exceeds the maximum size";
    /// Stickers that can't be sent.
    invalid_sticker = BAD_REQUEST, 50081, "Invalid sticker sent";
    /// A thread that has been put away.
    archived_thread = BAD_REQUEST, 50083, "Thread is archived";
    /// Not JSON at all.
    invalid_json = BAD_REQUEST, 50109, "The request body contains invalid JSON.";
    /// An attachment's id without a file of that number.
    uploaded_file_not_found = BAD_REQUEST, 50146, "Uploaded file not found.";
    /// The other has blocked the caller.
    reaction_blocked = FORBIDDEN, 90001, "Reaction blocked";
    /// A reply needs to see what it replies to.
    cannot_reply_unread = BAD_REQUEST, 160_002, "Cannot reply without permission to read message history";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_documented_error_is_an_error_and_says_so_once() {
        let mut seen = HashSet::new();
        for (make, code) in DOCUMENTED {
            let error = make();
            assert_eq!(error.code(), *code);
            assert!(error.status().is_client_error() || error.status().is_server_error(), "{error}");
            assert!(seen.insert((error.status(), error.code(), error.message().to_owned())), "{error} twice");
        }
    }

    #[tokio::test]
    async fn an_answer_is_json_with_code_and_message() {
        let response = ApiError::unknown_channel().into_response();
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body, json!({ "message": "Unknown Channel", "code": 10003 }));
    }

    #[test]
    fn a_bad_body_carries_the_tree_of_discords_reference() {
        let error = ApiError::field(&["access_token"], FieldError::required());
        assert_eq!(
            error.to_json(),
            json!({
                "code": 50035,
                "errors": { "access_token": { "_errors": [
                    { "code": "BASE_TYPE_REQUIRED", "message": "This field is required" }
                ] } },
                "message": "Invalid Form Body"
            })
        );
        assert_eq!(error.to_string(), "Invalid Form Body (HTTP 400, code 50035)");
        let error = ApiError::wrong_content_type(&["application/json"]);
        assert_eq!(
            error.errors().unwrap().at(&[])[0].message,
            "Expected \"Content-Type\" header to be one of {'application/json'}."
        );
    }
}
