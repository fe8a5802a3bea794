//! Errors with which Discord refuses a request: an HTTP status, a JSON code, a message and, for an invalid body, a
//! tree.

mod form;

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

pub use form::{FieldError, FormErrors, Segment};

/// Refused request, in Discord's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (HTTP {}, code {code})", status.as_u16())]
pub struct ApiError {
    status: StatusCode,
    code: u32,
    message: String,
    /// Boxed because only an invalid body has it and an error is returned by value everywhere.
    errors: Option<Box<FormErrors>>,
}

/// Result of anything that Discord may refuse.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// Creates an error that has no constructor of its own; prefer those that have, since they carry Discord's wording.
    pub fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), errors: None }
    }

    /// Creates an invalid form body (50035) with all its errors.
    pub fn form(errors: FormErrors) -> Self {
        Self {
            errors: Some(Box::new(errors)),
            ..Self::new(StatusCode::BAD_REQUEST, 50035, "Invalid Form Body")
        }
    }

    /// Creates an invalid form body with one error, at a path of object keys.
    pub fn field(path: &[&str], error: FieldError) -> Self {
        let mut errors = FormErrors::default();
        errors.push(path.iter().copied().map(Segment::from), error);
        Self::form(errors)
    }

    /// Creates the error of a body of a kind that the route does not read; `readable` are the kinds that it does.
    pub fn wrong_content_type(readable: &[&str]) -> Self {
        let readable = readable.iter().map(|kind| format!("'{kind}'")).collect::<Vec<_>>().join(", ");
        let message = format!("Expected \"Content-Type\" header to be one of {{{readable}}}.");
        Self::field(&[], FieldError::new("CONTENT_TYPE_INVALID", message))
    }

    /// Creates the error of a guild or application that has all the emojis it may have (30008; animated ones 30018).
    pub fn max_emojis(limit: usize, animated: bool) -> Self {
        let (code, kind) = if animated { (30018, "animated emojis") } else { (30008, "emojis") };
        Self::new(StatusCode::BAD_REQUEST, code, format!("Maximum number of {kind} reached ({limit})"))
    }

    /// Creates the error of a guild that has all the stickers its boosts allow.
    pub fn max_stickers(limit: usize) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 30039, format!("Maximum number of stickers reached ({limit})"))
    }

    /// Creates the error of a guild that has all the sounds its boosts allow.
    pub fn max_sounds(limit: usize) -> Self {
        let message = format!("Maximum number of soundboard sounds reached ({limit})");
        Self::new(StatusCode::BAD_REQUEST, 30045, message)
    }

    /// Returns the HTTP status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns Discord's JSON error code.
    pub fn code(&self) -> u32 {
        self.code
    }

    /// Returns the sentence for the user.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the errors of each field, if the body was invalid.
    pub fn errors(&self) -> Option<&FormErrors> {
        self.errors.as_deref()
    }

    /// Returns the body of the answer.
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
    /// No token, or an unknown one.
    unauthorized = UNAUTHORIZED, 0, "401: Unauthorized";
    /// The route does not exist.
    not_found = NOT_FOUND, 0, "404: Not Found";
    /// The route exists, not with this method.
    method_not_allowed = METHOD_NOT_ALLOWED, 0, "405: Method Not Allowed";
    /// Fault of the server, here always an injected one.
    internal = INTERNAL_SERVER_ERROR, 0, "500: Internal Server Error";
    /// The application does not exist.
    unknown_application = NOT_FOUND, 10002, "Unknown Application";
    /// The channel does not exist, or the caller may not know of it.
    unknown_channel = NOT_FOUND, 10003, "Unknown Channel";
    /// The guild does not exist, or the caller is not in it.
    unknown_guild = NOT_FOUND, 10004, "Unknown Guild";
    /// The integration does not exist in this guild.
    unknown_integration = NOT_FOUND, 10005, "Unknown Integration";
    /// The invite does not exist.
    unknown_invite = NOT_FOUND, 10006, "Unknown Invite";
    /// The user is not in this guild.
    unknown_member = NOT_FOUND, 10007, "Unknown Member";
    /// The message does not exist in this channel.
    unknown_message = NOT_FOUND, 10008, "Unknown Message";
    /// The channel has no overwrite for this role or member.
    unknown_overwrite = NOT_FOUND, 10009, "Unknown Overwrite";
    /// The forum does not have this tag.
    unknown_tag = NOT_FOUND, 10087, "Unknown tag";
    /// The sound does not exist.
    unknown_sound = NOT_FOUND, 10097, "Unknown sound";
    /// The role does not exist in this guild.
    unknown_role = NOT_FOUND, 10011, "Unknown Role";
    /// The user does not exist.
    unknown_user = NOT_FOUND, 10013, "Unknown User";
    /// The emoji does not exist, or the text is not one.
    unknown_emoji = BAD_REQUEST, 10014, "Unknown Emoji";
    /// The webhook does not exist; also for interaction tokens that are unknown or past their 15 minutes.
    unknown_webhook = NOT_FOUND, 10015, "Unknown Webhook";
    /// The user is not banned.
    unknown_ban = NOT_FOUND, 10026, "Unknown Ban";
    /// The lobby does not exist, or is another application's.
    unknown_lobby = NOT_FOUND, 10031, "Unknown lobby";
    /// The template does not exist, or is of another guild.
    unknown_template = NOT_FOUND, 10057, "Unknown guild template";
    /// The SKU does not exist, or another application sells it.
    unknown_sku = NOT_FOUND, 10027, "Unknown SKU";
    /// The entitlement does not exist, or is one to another application's SKU.
    unknown_entitlement = NOT_FOUND, 10029, "Unknown Entitlement";
    /// The sticker does not exist.
    unknown_sticker = NOT_FOUND, 10060, "Unknown Sticker";
    /// The pack of stickers does not exist.
    unknown_sticker_pack = NOT_FOUND, 10061, "Unknown Sticker Pack";
    /// The interaction does not exist, or its three seconds are over.
    unknown_interaction = NOT_FOUND, 10062, "Unknown interaction";
    /// The command does not exist in this scope.
    unknown_application_command = NOT_FOUND, 10063, "Unknown application command";
    /// The user is in no voice channel.
    unknown_voice_state = NOT_FOUND, 10065, "Unknown Voice State";
    /// The stage channel is not live.
    unknown_stage_instance = NOT_FOUND, 10067, "Unknown Stage Instance";
    /// The scheduled event does not exist in this guild.
    unknown_scheduled_event = NOT_FOUND, 10070, "Unknown Guild Scheduled Event";
    /// The guild has no welcome screen.
    unknown_welcome_screen = NOT_FOUND, 10069, "Unknown Guild Welcome Screen";
    /// The command has no permissions of its own.
    unknown_application_command_permissions = NOT_FOUND, 10066, "Unknown application command permissions";
    /// The invite is for anyone, so there is no list of users that was processed.
    unknown_invite_job = NOT_FOUND, 10124, "Unknown Invite Target Users Job";
    /// The invite is for anyone.
    unknown_invite_users = NOT_FOUND, 10129, "Unknown Invite Target Users";
    /// The route is for users only.
    bots_cannot_use = FORBIDDEN, 20001, "Bots cannot use this endpoint";
    /// The route is for bots only.
    only_bots_can_use = FORBIDDEN, 20002, "Only bots can use this endpoint";
    /// The token belongs to another application.
    wrong_application = FORBIDDEN, 20012, "You are not authorized to perform this action on this application";
    /// The slowmode of the channel is in effect.
    slowmode = TOO_MANY_REQUESTS, 20016, "This action cannot be performed due to slowmode rate limit";
    /// Too many pins.
    max_pins = BAD_REQUEST, 30003, "Maximum number of pins reached (250)";
    /// Too many people in a group of direct messages.
    max_recipients = BAD_REQUEST, 30004, "Maximum number of recipients reached (10)";
    /// Too many roles.
    max_roles = BAD_REQUEST, 30005, "Maximum number of server roles reached (250)";
    /// Too many webhooks.
    max_webhooks = BAD_REQUEST, 30007, "Maximum number of webhooks reached (15)";
    /// Too many different emojis on one message.
    max_reactions = FORBIDDEN, 30010, "Maximum number of reactions reached (20)";
    /// Too many groups of direct messages.
    max_groups = BAD_REQUEST, 30011, "Maximum number of group DMs reached (10)";
    /// Too many channels.
    max_channels = BAD_REQUEST, 30013, "Maximum number of server channels reached (500)";
    /// Too many files.
    max_attachments = BAD_REQUEST, 30015, "Maximum number of attachments in a message reached (10)";
    /// Too many invites.
    max_invites = BAD_REQUEST, 30016, "Maximum number of invites reached (1000)";
    /// A guild has one template at most.
    has_template = BAD_REQUEST, 30031, "Guild already has a template";
    /// Too many commands of one type in one scope.
    max_commands = BAD_REQUEST, 30032, "Maximum number of application commands reached";
    /// Too many command creations on one day in one guild.
    max_daily_command_creates = BAD_REQUEST, 30034, "Max number of daily application command creates has been reached (200)";
    /// Too many scheduled events that are not over.
    max_scheduled_events = BAD_REQUEST, 30038, "Maximum number of uncompleted guild scheduled events reached (100)";
    /// Too many overwrites.
    max_overwrites = BAD_REQUEST, 30060, "Maximum number of channel permission overwrites reached (1000)";
    /// The token does not permit this request.
    insufficient_token = UNAUTHORIZED, 40001, "Unauthorized";
    /// The whole request is too large.
    entity_too_large = PAYLOAD_TOO_LARGE, 40005, "Request entity too large";
    /// The user may not join.
    banned = FORBIDDEN, 40007, "The user is banned from this guild";
    /// A reordering moves more than one channel to another category.
    one_parent_at_a_time = BAD_REQUEST, 40009, "Only one channel can have a parent_id modified at a time";
    /// What is bought once, or subscribed to, is not consumed.
    not_consumable = BAD_REQUEST, 40018, "Only consumable SKUs can be consumed";
    /// A purchase is not undone by the application.
    not_a_test_entitlement = FORBIDDEN, 40019, "You can only delete sandbox entitlements.";
    /// A user who is not in voice cannot be moved there.
    not_in_voice = BAD_REQUEST, 40032, "Target user is not connected to voice.";
    /// The announcement has been published already.
    already_crossposted = BAD_REQUEST, 40033, "This message has already been crossposted.";
    /// A command cannot be renamed to a name that is taken.
    duplicate_command_name = BAD_REQUEST, 40041, "An application command with that name already exists";
    /// Two tags of a forum have the same name.
    tag_names = BAD_REQUEST, 40061, "Tag names must be unique";
    /// Only moderators may set the tags of this forum, and there is no other tag.
    no_tag_for_members = BAD_REQUEST, 40066, "There are no tags available that can be set by non-moderators";
    /// The forum requires a tag for a post.
    tag_required = BAD_REQUEST, 40067, "A tag is required to create a forum post in this channel";
    /// The user or guild has it already.
    already_entitled = BAD_REQUEST, 40074, "An entitlement has already been granted for this resource";
    /// The interaction has had a callback already.
    already_acknowledged = BAD_REQUEST, 40060, "Interaction has already been acknowledged.";
    /// The caller may not see this guild or channel.
    missing_access = FORBIDDEN, 50001, "Missing Access";
    /// The guild's widget is off.
    widget_disabled = FORBIDDEN, 50004, "Widget Disabled";
    /// Not possible in direct messages.
    not_in_dm = FORBIDDEN, 50003, "Cannot execute action on a DM channel";
    /// The message was written by another user.
    not_author = FORBIDDEN, 50005, "Cannot edit a message authored by another user";
    /// The message has no visible content.
    empty_message = BAD_REQUEST, 50006, "Cannot send an empty message";
    /// The user accepts no direct messages from the caller.
    cannot_message_user = FORBIDDEN, 50007, "Cannot send messages to this user";
    /// The channel does not hold messages, such as a category.
    not_a_text_channel = BAD_REQUEST, 50008, "Cannot send messages in a non-text channel";
    /// The caller lacks a permission or a high enough role.
    missing_permissions = FORBIDDEN, 50013, "Missing Permissions";
    /// The access token is not one of this user for this application, or has expired.
    invalid_access_token = FORBIDDEN, 50025, "Invalid OAuth2 access token";
    /// The user has not granted the access token this scope.
    missing_scope = FORBIDDEN, 50026, "Missing required OAuth2 scope";
    /// The text is not a token.
    invalid_token = UNAUTHORIZED, 50014, "Invalid authentication token provided";
    /// The note is too long.
    note_too_long = BAD_REQUEST, 50015, "Note was too long";
    /// Bulk deletion of fewer than two or more than a hundred messages.
    bulk_delete_count = BAD_REQUEST, 50016, "Provided too few or too many messages to delete. Must provide at least 2 and fewer than 100 messages to delete";
    /// A message can be pinned only in its own channel.
    pin_elsewhere = BAD_REQUEST, 50019, "A message can only be pinned to the channel it was sent in";
    /// The message was written by Discord itself.
    system_message = FORBIDDEN, 50021, "Cannot execute action on a system message";
    /// Not possible in a channel of this kind.
    wrong_channel_type = BAD_REQUEST, 50024, "Cannot execute action on this channel type";
    /// The second half of a webhook's address is wrong; for an interaction its token.
    invalid_webhook_token = UNAUTHORIZED, 50027, "Invalid Webhook Token";
    /// The role cannot be given, such as those of integrations.
    invalid_role = BAD_REQUEST, 50028, "Invalid Role";
    /// The recipients of a direct message are invalid.
    invalid_recipients = BAD_REQUEST, 50033, "Invalid Recipient(s)";
    /// The message is older than two weeks.
    too_old_for_bulk_delete = BAD_REQUEST, 50034, "You can only bulk delete messages that are under 14 days old.";
    /// The API version does not exist, such as `/api/v3`.
    invalid_api_version = BAD_REQUEST, 50041, "Invalid API version";
    /// One file is too large.
    file_too_large = BAD_REQUEST, 50045, "File uploaded exceeds the maximum size";
    /// The file is not of a kind that is taken here, or it is damaged.
    invalid_file = BAD_REQUEST, 50046, "Invalid file uploaded";
    /// The SKU does not exist, or another application sells it.
    invalid_sku = BAD_REQUEST, 50057, "Invalid SKU";
    /// Not possible with a message of this kind.
    invalid_message_type = BAD_REQUEST, 50068, "Invalid message type";
    /// The sticker cannot be sent.
    invalid_sticker = BAD_REQUEST, 50081, "Invalid sticker sent";
    /// The guild lacks a feature that boosts bring.
    needs_boosts = FORBIDDEN, 50101, "This server needs more boosts to perform this action";
    /// A Community guild cannot be without this channel.
    community_channel = BAD_REQUEST, 50074, "Cannot delete a channel required for Community guilds";
    /// A channel of a Community guild's settings is no text channel.
    community_channel_type = BAD_REQUEST, 50086, "Community server channels must be text channels";
    /// The sticker belongs to a guild whose stickers the caller may not use here.
    cannot_send_sticker = FORBIDDEN, 50600, "You do not have permission to send this sticker.";
    /// The thread is archived.
    archived_thread = BAD_REQUEST, 50083, "Thread is archived";
    /// A stage event is for a stage channel, a voice event for a voice channel.
    wrong_event_entity = BAD_REQUEST, 50091, "The entity type of the event is different from the entity you are trying to start the event for";
    /// The body is not JSON.
    invalid_json = BAD_REQUEST, 50109, "The request body contains invalid JSON.";
    /// The file is damaged.
    damaged_file = BAD_REQUEST, 50110, "The provided file is invalid.";
    /// What sells a guild's subscriptions stays.
    cannot_delete_subscription_integration = BAD_REQUEST, 50163, "Cannot delete guild subscription integration";
    /// The file is of another kind.
    invalid_file_type = BAD_REQUEST, 50123, "The provided file type is invalid.";
    /// The sound lasts too long.
    sound_too_long = BAD_REQUEST, 50124, "The provided file duration exceeds maximum of 5.2 seconds.";
    /// An attachment's id names no uploaded file.
    uploaded_file_not_found = BAD_REQUEST, 50146, "Uploaded file not found.";
    /// The text is no emoji, or the guild has none of this id.
    invalid_emoji = BAD_REQUEST, 50151, "The specified emoji is invalid";
    /// A voice message is a recording and nothing else.
    voice_message_content = BAD_REQUEST, 50159, "Voice messages do not support additional content.";
    /// A voice message is one recording.
    voice_message_file = BAD_REQUEST, 50160, "Voice messages must have a single audio attachment.";
    /// A voice message has a length and a waveform.
    voice_message_metadata = BAD_REQUEST, 50161, "Voice messages must have supporting metadata.";
    /// A voice message stays as it is.
    voice_message_edit = BAD_REQUEST, 50162, "Voice messages cannot be edited.";
    /// A member whom nobody can hear plays no sounds.
    no_voice_effect = FORBIDDEN, 50167, "Cannot send voice effect when user is server muted, deafened, or suppressed";
    /// The file does not say how long it lasts.
    no_duration = BAD_REQUEST, 50192, "The provided file does not have a valid duration.";
    /// A picture stays too large however it is resized.
    asset_too_large = BAD_REQUEST, 50138, "Failed to resize asset below the maximum size: 262144";
    /// The stickers of a message stay.
    cannot_edit_stickers = BAD_REQUEST, 50080, "Cannot edit stickers within a message";
    /// The other user has blocked the caller.
    reaction_blocked = FORBIDDEN, 90001, "Reaction blocked";
    /// A webhook in a forum needs a thread.
    webhook_needs_thread = BAD_REQUEST, 220_001, "Webhooks posted to forum channels must have a thread_name or thread_id";
    /// A webhook in a forum posts in one thread, which is new or not.
    webhook_names_two_threads = BAD_REQUEST, 220_002, "Webhooks posted to forum channels cannot have both a thread_name and thread_id";
    /// A webhook opens threads in forums only.
    webhook_opens_no_thread = BAD_REQUEST, 220_003, "Webhooks can only create threads in forum channels";
    /// The poll is over.
    poll_expired = BAD_REQUEST, 520_001, "Poll expired";
    /// A poll message stays as it is.
    poll_message_edit = BAD_REQUEST, 520_003, "Cannot edit a poll message";
    /// An answer of the poll has an emoji that the user may not use.
    poll_emoji = BAD_REQUEST, 520_004, "Cannot use an emoji included with the poll";
    /// The message has no poll.
    not_a_poll = BAD_REQUEST, 520_006, "Cannot expire a non-poll message";
    /// The stage channel is live already.
    stage_already_open = BAD_REQUEST, 150_006, "The Stage is already open";
    /// A completed or canceled event stays as it is.
    finished_event = BAD_REQUEST, 180_000, "Cannot update a finished event";
    /// A rule of auto moderation blocks the message.
    blocked_by_auto_moderation = BAD_REQUEST, 200_000, "Message was blocked by automatic moderation";
    /// Only moderators may do this in a locked thread.
    locked_thread = BAD_REQUEST, 160_005, "Thread is locked";
    /// Onboarding needs more channels.
    onboarding_requirements = BAD_REQUEST, 350_000, "Cannot enable onboarding, requirements are not met";
    /// Onboarding that is on needs more channels.
    onboarding_below_requirements = BAD_REQUEST, 350_001, "Cannot update onboarding while below requirements";
    /// Further messages of an application that only the user has installed are few.
    max_followups = BAD_REQUEST, 40094, "This interaction has hit the maximum number of follow up messages";
    /// A reply requires permission to read the message that it replies to.
    cannot_reply_unread = BAD_REQUEST, 160_002, "Cannot reply without permission to read message history";
    /// A forward of a message whose content the application may not read.
    cannot_forward_unread =
        BAD_REQUEST, 160_014, "You cannot forward a message whose content you cannot read";
    /// Services post in a forum only where a thread is named.
    no_service_in_forum = BAD_REQUEST, 220_004, "Webhook services cannot be used in forum channels";
    /// The sticker is no Lottie animation.
    lottie_json = BAD_REQUEST, 170_001, "Invalid JSON for uploaded Lottie file";
    /// The Lottie animation embeds a picture.
    lottie_raster = BAD_REQUEST, 170_002, "Uploaded Lotties cannot contain rasterized images such as PNG or JPEG";
    /// The animated sticker has too many frames.
    sticker_frames = BAD_REQUEST, 170_004, "Sticker frame count exceeds maximum of 1000 frames";
    /// The Lottie animation is too wide or too high.
    lottie_dimensions = BAD_REQUEST, 170_005, "Lottie animation maximum dimensions exceeded";
    /// The animation's frame rate is no rate.
    sticker_frame_rate = BAD_REQUEST, 170_006, "Sticker frame rate is either too small or too large";
    /// The animated sticker lasts too long.
    sticker_duration = BAD_REQUEST, 170_007, "Sticker animation duration exceeds maximum of 5 seconds";
    /// The ID token has expired.
    expired_id_token = BAD_REQUEST, 530_001, "Expired ID token";
    /// The ID token was issued more than a week ago.
    id_token_too_old = BAD_REQUEST, 530_004, "ID token too old";
    /// The player's Discord account is linked.
    not_provisional = BAD_REQUEST, 530_010, "User account is non-provisional and should be authed through OAuth2";
    /// The account to merge is a full one.
    invalid_merge_source = BAD_REQUEST, 530_014, "Invalid merge source";
    /// The account to merge into is provisional.
    invalid_merge_destination = BAD_REQUEST, 530_016, "Invalid merge destination";
    /// The ID token is malformed, or signed by an algorithm that is not supported.
    invalid_id_token = BAD_REQUEST, 530_020, "Invalid OIDC JWT token";
    /// The user has an identity in the application already.
    too_many_identities = BAD_REQUEST, 530_023, "Too many application identities";
    /// The ID token does not name the key that signed it.
    id_token_without_key_id = BAD_REQUEST, 530_027, "Missing kid header";
    /// The account is provisional, or does not exist.
    invalid_user_type = BAD_REQUEST, 50229, "Invalid user type";
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
