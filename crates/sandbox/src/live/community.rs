//! Changes of the pages for new members, and what members do there.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Live, MemberChange, changes};
use crate::error::{ApiError, ApiResult};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::community::{Onboarding, Prompt, PromptOption, RequestStatus, WelcomeChannel};
use crate::state::forum::EmojiRef;
use crate::state::guild::{Guild, Member};
use crate::state::role::IN_PROMPT;
use crate::validate::Change;
use crate::validate::community::{OnboardingBody, OptionBody, PromptBody, WelcomeBody};

/// Member flag: has completed onboarding.
const COMPLETED_ONBOARDING: u64 = 1 << 1;
/// Member flag: has started onboarding.
const STARTED_ONBOARDING: u64 = 1 << 3;
/// Member flag: has started the actions of the Server Guide.
const STARTED_HOME_ACTIONS: u64 = 1 << 5;
/// Member flag: has completed the actions of the Server Guide.
const COMPLETED_HOME_ACTIONS: u64 = 1 << 6;
/// Feature of a guild with a welcome screen.
const WELCOME_SCREEN_ENABLED: &str = "WELCOME_SCREEN_ENABLED";

/// Default channels that onboarding needs, and those of them in which @everyone can write.
const NEEDED_CHANNELS: (usize, usize) = (7, 5);

impl Live<'_> {
    /// Changes the welcome screen and returns it. Sends the event of the guild if it is switched on or off.
    pub fn set_welcome_screen(
        &mut self,
        id: Snowflake,
        body: WelcomeBody,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<Value> {
        let guild = self.guild_mut(id)?;
        let before = guild.json();
        let mut screen = guild.community.welcome_screen.clone().unwrap_or_default();
        let mut channels = Vec::new();
        for channel in body.channels.as_ref().into_iter().flatten() {
            if !guild.channels.contains(&channel.channel_id) {
                return Err(ApiError::unknown_channel());
            }
            channels.push(WelcomeChannel {
                channel_id: channel.channel_id,
                description: channel.description.clone(),
                emoji: known_emoji(guild, channel.emoji.clone())?.0,
            });
        }
        body.channels.map(|_| channels).apply_or(&mut screen.channels, Vec::new());
        body.description.apply(&mut screen.description);
        screen.enabled = body.enabled.unwrap_or(screen.enabled);
        let shown = screen.json();
        if screen.enabled {
            guild.perks.granted.insert(WELCOME_SCREEN_ENABLED.to_owned());
        } else {
            guild.perks.granted.remove(WELCOME_SCREEN_ENABLED);
        }
        guild.community.welcome_screen = Some(screen);
        let changes = changes::renamed(&before, &guild.json(), changes::GUILD);
        if !changes.is_empty() {
            self.guild_changed(id);
            self.audit(id, 1, by, Some(id), reason, changes);
        }
        Ok(shown)
    }

    /// Changes the onboarding and returns it. Roles tell whether a prompt gives them.
    ///
    /// # Errors
    /// If it names a role or channel that the guild lacks, or it is on and below the requirements.
    pub fn set_onboarding(
        &mut self,
        id: Snowflake,
        body: OnboardingBody,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<Value> {
        let known = self.guild_mut(id)?.community.onboarding.clone();
        let before = known.clone().unwrap_or_default();
        let mut after = before.clone();
        if let Some(prompts) = body.prompts {
            let prompts: ApiResult<Vec<Prompt>> =
                prompts.into_iter().map(|prompt| self.prompt(id, &before, prompt)).collect();
            after.prompts = prompts?;
        }
        after.default_channel_ids = body.default_channel_ids.unwrap_or(after.default_channel_ids);
        after.enabled = body.enabled.unwrap_or(after.enabled);
        after.mode = body.mode.unwrap_or(after.mode);
        let guild = self.guild_mut(id)?;
        if after.default_channel_ids.iter().any(|channel| !guild.channels.contains(channel)) {
            return Err(ApiError::unknown_channel());
        }
        if after.enabled && !self.meets_requirements(id, &after)? {
            return Err(if before.enabled {
                ApiError::onboarding_below_requirements()
            } else {
                ApiError::onboarding_requirements()
            });
        }
        let shown = after.json(id);
        if known.as_ref() == Some(&after) {
            return Ok(shown);
        }
        let (old, new) = (before.roles(), after.roles());
        let prompts = (before.prompts.clone(), after.prompts.clone());
        let guild = self.guild_mut(id)?;
        guild.community.onboarding = Some(after);
        let mut flagged = Vec::new();
        for role in old.symmetric_difference(&new) {
            if let Some(found) = guild.roles.get_mut(role) {
                found.flags ^= IN_PROMPT;
                flagged.push(*role);
            }
        }
        for role in flagged {
            self.role_changed(id, role);
        }
        self.audit_prompts(id, &prompts.0, &prompts.1, by, reason);
        let fields = ["enabled", "default_channel_ids", "mode", "prompts"];
        let old = if known.is_some() { before.json(id) } else { Value::Null };
        let changes = changes::between(&old, &shown, &fields);
        self.audit(id, if known.is_some() { 167 } else { 166 }, by, Some(id), reason, changes);
        Ok(shown)
    }

    fn audit_prompts(
        &mut self,
        id: Snowflake,
        before: &[Prompt],
        after: &[Prompt],
        by: Snowflake,
        reason: Option<&str>,
    ) {
        let fields = ["title", "options", "single_select", "required", "in_onboarding", "type"];
        let find = |prompts: &[Prompt], id| prompts.iter().find(|prompt| prompt.id == id).map(Prompt::json);
        for prompt in after {
            let (old, new) = (find(before, prompt.id), prompt.json());
            let action = if old.is_some() { 164 } else { 163 };
            let changes = changes::between(&old.unwrap_or_default(), &new, &fields);
            if !changes.is_empty() {
                self.audit(id, action, by, Some(prompt.id), reason, changes);
            }
        }
        for prompt in before.iter().filter(|prompt| find(after, prompt.id).is_none()) {
            let changes = changes::between(&prompt.json(), &Value::Null, &fields);
            self.audit(id, 165, by, Some(prompt.id), reason, changes);
        }
    }

    /// Returns a prompt of a body. It keeps its id if there is such a prompt, else it gets a new one.
    fn prompt(&self, id: Snowflake, before: &Onboarding, body: PromptBody) -> ApiResult<Prompt> {
        let guild = self.guilds.get(&id).ok_or_else(ApiError::unknown_guild)?;
        let old = before.prompts.iter().find(|prompt| prompt.id == body.id);
        let option = |body: OptionBody| {
            for role in &body.role_ids {
                let role = guild.roles.get(role).ok_or_else(ApiError::unknown_role)?;
                if role.managed || role.id == guild.id {
                    return Err(ApiError::invalid_role());
                }
            }
            if body.channel_ids.iter().any(|channel| !guild.channels.contains(channel)) {
                return Err(ApiError::unknown_channel());
            }
            let kept = body
                .id
                .filter(|id| old.is_some_and(|prompt| prompt.options.iter().any(|option| option.id == *id)));
            let (emoji, animated) = known_emoji(guild, body.emoji.0)?;
            Ok(PromptOption {
                id: kept.unwrap_or_else(|| self.next_id()),
                title: body.title,
                description: body.description,
                emoji: (emoji, animated.unwrap_or(body.emoji.1)),
                role_ids: body.role_ids,
                channel_ids: body.channel_ids,
            })
        };
        Ok(Prompt {
            id: old.map_or_else(|| self.next_id(), |prompt| prompt.id),
            title: body.title,
            options: body.options.into_iter().map(option).collect::<ApiResult<_>>()?,
            single_select: body.single_select,
            required: body.required,
            in_onboarding: body.in_onboarding,
            kind: body.kind,
        })
    }

    fn meets_requirements(&self, id: Snowflake, onboarding: &Onboarding) -> ApiResult<bool> {
        let guild = self.guilds.get(&id).ok_or_else(ApiError::unknown_guild)?;
        let everyone = guild.everyone_in();
        let writes = Permissions::VIEW_CHANNEL | Permissions::SEND_MESSAGES;
        let channels = onboarding.counted_channels();
        let open = channels
            .iter()
            .filter_map(|id| self.channels.get(id))
            .filter(|channel| everyone(&channel.overwrites).contains(writes));
        let (all, open_ones) = NEEDED_CHANNELS;
        Ok(guild.perks.has("COMMUNITY") && channels.len() >= all && open.count() >= open_ones)
    }

    /// Takes a member's answers to prompts: option titles or ids by the title or id of each prompt. They get the roles
    /// of what they choose, and lose those of the prompt's other options. Without answers, they have only begun.
    ///
    /// # Errors
    /// One sentence, if an answer is not possible or a required one is missing.
    pub fn answer_onboarding(
        &mut self,
        id: Snowflake,
        user: Snowflake,
        answers: Option<&HashMap<String, Vec<String>>>,
    ) -> Result<Vec<Snowflake>, String> {
        let guild = self.guilds.get(&id).ok_or("There is no such guild.")?;
        let onboarding = guild.community.onboarding.as_ref().filter(|onboarding| onboarding.enabled);
        let onboarding = onboarding.ok_or("Onboarding is off in this guild.")?;
        let member = guild.members.get(&user).ok_or("The user is no member of this guild.")?;
        let (mut roles, mut flags) = (member.roles.clone(), member.flags | STARTED_ONBOARDING);
        let mut channels = onboarding.default_channel_ids.clone();
        if let Some(answers) = answers {
            let named = |name: &String, id: Snowflake, title: &str| {
                *name == id.to_string() || name.eq_ignore_ascii_case(title)
            };
            if let Some(name) = answers
                .keys()
                .find(|name| !onboarding.prompts.iter().any(|prompt| named(name, prompt.id, &prompt.title)))
            {
                return Err(format!("There is no prompt \"{name}\"."));
            }
            for prompt in &onboarding.prompts {
                let chosen = answers.iter().find(|(name, _)| named(name, prompt.id, &prompt.title));
                let chosen = chosen.map_or(&[][..], |(_, chosen)| chosen);
                let first = member.flags & COMPLETED_ONBOARDING == 0;
                if chosen.is_empty() && prompt.required && prompt.in_onboarding && first {
                    return Err(format!("The prompt \"{}\" needs an answer.", prompt.title));
                }
                if chosen.len() > 1 && prompt.single_select {
                    return Err(format!("The prompt \"{}\" takes one answer only.", prompt.title));
                }
                let find = |name: &String| {
                    prompt.options.iter().find(|option| named(name, option.id, &option.title))
                };
                if let Some(name) = chosen.iter().find(|name| find(name).is_none()) {
                    return Err(format!("The prompt \"{}\" has no option \"{name}\".", prompt.title));
                }
                let chosen: Vec<&PromptOption> = chosen.iter().filter_map(find).collect();
                if !chosen.is_empty() {
                    let given = prompt.options.iter().flat_map(|option| &option.role_ids);
                    let given: Vec<Snowflake> = given.copied().collect();
                    roles.retain(|role| !given.contains(role));
                }
                for option in chosen {
                    roles.extend(&option.role_ids);
                    channels.extend(&option.channel_ids);
                }
            }
            flags |= COMPLETED_ONBOARDING;
        }
        let mut seen = std::collections::HashSet::new();
        roles.retain(|role| seen.insert(*role));
        seen.clear();
        channels.retain(|channel| seen.insert(*channel));
        self.saw(user);
        let change =
            MemberChange { roles: Change::Set(roles), flags: Change::Set(flags), ..MemberChange::default() };
        self.change_member(id, user, change).map_err(|error| error.message().to_owned())?;
        Ok(channels)
    }

    /// Sets the Server Guide, an object of Discord's form, and writes the audit log.
    pub fn set_guide(&mut self, id: Snowflake, guide: &Value, by: Snowflake) -> ApiResult<()> {
        let before = self.guild_mut(id)?.community.guide.replace(guide.clone());
        if before.as_ref() != Some(guide) {
            self.audit(id, if before.is_some() { 191 } else { 190 }, by, Some(id), None, Vec::new());
        }
        Ok(())
    }

    /// Notes that a member has completed the guide's action in a channel. Their flags say so.
    ///
    /// # Errors
    /// One sentence, if there is no such action.
    pub fn complete_action(
        &mut self,
        id: Snowflake,
        user: Snowflake,
        channel: Snowflake,
    ) -> Result<(), String> {
        let guild = self.guilds.get_mut(&id).ok_or("There is no such guild.")?;
        let member = guild.members.get(&user).ok_or("The user is no member of this guild.")?;
        let guide = guild.community.guide.as_ref().filter(|guide| guide["enabled"] == true);
        let actions: Vec<Snowflake> = guide
            .and_then(|guide| guide["new_member_actions"].as_array())
            .into_iter()
            .flatten()
            .filter_map(|action| serde_json::from_value(action["channel_id"].clone()).ok())
            .collect();
        if !actions.contains(&channel) {
            return Err("The Server Guide has no action in this channel.".to_owned());
        }
        let done = guild.community.completed_actions.entry(user).or_default();
        done.insert(channel);
        let mut flags = member.flags | STARTED_HOME_ACTIONS;
        if actions.iter().all(|action| done.contains(action)) {
            flags |= COMPLETED_HOME_ACTIONS;
        }
        let change = MemberChange { flags: Change::Set(flags), ..MemberChange::default() };
        self.saw(user);
        self.change_member(id, user, change).map_err(|error| error.message().to_owned())
    }

    /// Approves or rejects a request to join, and returns it. An approved user becomes a member.
    pub fn review(
        &mut self,
        id: Snowflake,
        request: Snowflake,
        by: Snowflake,
        approved: bool,
        rejection: Option<String>,
    ) -> ApiResult<Value> {
        let requests = &self.guild_mut(id)?.community.requests;
        let user = requests.get(&request).ok_or_else(ApiError::not_found)?.user;
        if approved {
            self.admit(id, Member::new(user, self.clock.now()))?;
        }
        let now = self.clock.now();
        let found =
            self.guild_mut(id)?.community.requests.get_mut(&request).ok_or_else(ApiError::not_found)?;
        found.status = if approved { RequestStatus::Approved } else { RequestStatus::Rejected };
        found.rejection_reason = rejection.filter(|_| !approved);
        found.reviewed_at = Some(now);
        found.reviewer = Some(by);
        let found = found.clone();
        Ok(found.json(self, id))
    }
}

/// Returns an emoji with its name, and whether it is animated if it is a guild's own. That must exist.
fn known_emoji(guild: &Guild, emoji: EmojiRef) -> ApiResult<(EmojiRef, Option<bool>)> {
    let Some(id) = emoji.id else { return Ok((emoji, None)) };
    let own = guild.emojis.get(&id).ok_or_else(ApiError::unknown_emoji)?;
    Ok((EmojiRef { id: Some(id), name: Some(own.name.clone()) }, Some(own.animated)))
}

/// Returns a field of a join form with an answer to it.
///
/// # Errors
/// One sentence, if the answer does not fit the field.
pub fn answered(field: &Value, answer: Option<&Value>) -> Result<Value, String> {
    let label = field["label"].as_str().or(field["field_type"].as_str()).unwrap_or_default();
    let mut field = field.clone();
    let Some(answer) = answer.filter(|answer| !answer.is_null()) else {
        let required = field["required"] == true;
        return if required { Err(format!("\"{label}\" needs an answer.")) } else { Ok(field) };
    };
    let fits = match field["field_type"].as_str().unwrap_or_default() {
        "TERMS" => answer.is_boolean() && (*answer == true || field["required"] != true),
        "MULTIPLE_CHOICE" => {
            let choices = field["choices"].as_array().map_or(0, Vec::len);
            answer.as_u64().is_some_and(|index| usize::try_from(index).is_ok_and(|index| index < choices))
        }
        _ => answer.as_str().is_some_and(|text| !text.trim().is_empty() && text.chars().count() <= 1000),
    };
    if !fits {
        return Err(format!("{answer} is no answer to \"{label}\"."));
    }
    field["response"] = json!(answer);
    Ok(field)
}
