//! Guilds of seeds from the objects of Discord's API: what a bot reads of a guild, or a template of one.

use serde_json::Value;

use super::channels::KINDS;
use super::file::{
    Action, Channel, Choice, Emoji, Guild, Onboarding, Overwrite, Prompt, Role, Rule, Sticker, Tag,
    WelcomeChannel, WelcomeScreen,
};
use super::settings::{CONTENT_FILTER, NOTIFICATIONS, PRESETS, TRIGGERS, VERIFICATION};
use super::{Name, name};
use crate::permissions::Permissions;

/// What is known of a guild, as objects of the API.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// The guild, with its roles.
    pub(crate) guild: Value,
    /// Its channels without threads.
    pub(crate) channels: Vec<Value>,
    /// Its emojis.
    pub(crate) emojis: Vec<Value>,
    /// Its stickers.
    pub(crate) stickers: Vec<Value>,
    /// Its rules of auto moderation.
    pub(crate) automod: Vec<Value>,
    /// Its welcome screen.
    pub(crate) welcome_screen: Option<Value>,
    /// Its onboarding.
    pub(crate) onboarding: Option<Value>,
    /// Whether the ids are Discord's, and are kept.
    pub(crate) keeps_ids: bool,
    /// Whether the roles of bots are described with the bots, and not here.
    pub(crate) bots_apart: bool,
    /// Members whom overwrites may be for: their ids, and how the seed names them.
    pub(crate) members: Vec<(String, String)>,
}

/// Names by which the seed refers to objects: their own, or their ids where several have one name.
#[derive(Debug, Default)]
pub(super) struct Labels(Vec<(String, String)>);

impl Labels {
    fn of(objects: &[&Value]) -> Self {
        let text = |object: &Value| object["name"].as_str().unwrap_or_default().to_owned();
        let label = |object: &&Value| {
            let own = text(object);
            let twice = objects.iter().filter(|other| text(other) == own).count() > 1;
            (id(&object["id"]), if twice || own.is_empty() { id(&object["id"]) } else { own })
        };
        Self(objects.iter().map(label).collect())
    }

    pub(super) fn of_list(objects: &[Value]) -> Self {
        Self::of(&objects.iter().collect::<Vec<_>>())
    }

    /// Returns the name for an id, if there is such an object.
    pub(super) fn get(&self, wanted: &Value) -> Option<Name> {
        let wanted = id(wanted);
        self.0.iter().find(|(id, _)| *id == wanted).map(|(_, label)| name(label))
    }

    fn all(&self, list: &Value) -> Vec<Name> {
        list.as_array().into_iter().flatten().filter_map(|id| self.get(id)).collect()
    }

    /// Returns whether an object is named by its id, which it then needs.
    fn by_id(&self, object: &Value) -> bool {
        self.get(&object["id"]).is_some_and(|label| label.value == id(&object["id"]))
    }
}

/// Returns an id as text. Templates have numbers.
fn id(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn string(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().filter(|number| *number > 0)
}

fn one_of(value: &Value, words: &[&str]) -> Option<Name> {
    let index = usize::try_from(number(value)?).ok()?;
    words.get(index).map(|word| name(*word))
}

/// Returns the names of permissions, in the order of their bits, and the number of those without a name.
pub(super) fn permission_names(value: &Value) -> Vec<Name> {
    let set: Permissions = id(value).parse().unwrap_or_default();
    let unnamed = set & !Permissions::ALL;
    let unnamed = (unnamed != Permissions::NONE).then(|| name(unnamed.to_string()));
    set.names().map(name).chain(unnamed).collect()
}

impl Layout {
    /// Returns the guild of a seed.
    pub(crate) fn seed(&self) -> Guild {
        let empty = Vec::new();
        let all_roles: Vec<&Value> = self.guild["roles"].as_array().unwrap_or(&empty).iter().collect();
        let roles = Labels::of(&all_roles);
        let (channels, emojis) = (Labels::of_list(&self.channels), Labels::of_list(&self.emojis));
        let guild = &self.guild;
        let channel = |field: &str| channels.get(&guild[field]);
        let sees = Objects { layout: self, roles: &roles, channels: &channels, emojis: &emojis };
        let features = guild["features"].as_array().into_iter().flatten();
        Guild {
            id: self.keeps_ids.then(|| name(id(&guild["id"]))),
            description: string(&guild["description"]),
            locale: string(&guild["preferred_locale"]).filter(|locale| locale != "en-US").map(name),
            // What follows from boosts and rules is not listed.
            features: features
                .filter_map(Value::as_str)
                .filter(|one| *one != "AUTO_MODERATION")
                .map(str::to_owned)
                .collect(),
            boosts: number(&guild["premium_subscription_count"]),
            verification: one_of(&guild["verification_level"], VERIFICATION),
            notifications: one_of(&guild["default_message_notifications"], NOTIFICATIONS),
            content_filter: one_of(&guild["explicit_content_filter"], CONTENT_FILTER),
            system_channel: channel("system_channel_id"),
            rules_channel: channel("rules_channel_id"),
            updates_channel: channel("public_updates_channel_id"),
            safety_channel: channel("safety_alerts_channel_id"),
            afk_channel: channel("afk_channel_id"),
            afk_timeout: number(&guild["afk_timeout"]).filter(|seconds| *seconds != 300),
            roles: sees.role_list(&all_roles),
            channels: sees.channel_list(),
            emojis: self.emojis.iter().map(|emoji| sees.emoji(emoji)).collect(),
            stickers: self.stickers.iter().map(|sticker| sees.sticker(sticker)).collect(),
            automod: self.automod.iter().filter_map(|rule| sees.rule(rule)).collect(),
            welcome_screen: self.welcome_screen.as_ref().map(|screen| sees.welcome_screen(screen)),
            onboarding: self.onboarding.as_ref().map(|asked| sees.onboarding(asked)),
            ..Guild::new(guild["name"].as_str().unwrap_or_default())
        }
    }

    /// Returns the number of overwrites for members who are not in the seed.
    pub(crate) fn overwrites_left_out(&self) -> usize {
        let all = self
            .channels
            .iter()
            .flat_map(|channel| channel["permission_overwrites"].as_array().into_iter().flatten());
        let of_member =
            all.filter(|overwrite| id(&overwrite["type"]) == "1" || overwrite["type"] == "member");
        of_member.filter(|overwrite| self.member(&overwrite["id"]).is_none()).count()
    }

    fn member(&self, wanted: &Value) -> Option<Name> {
        let wanted = id(wanted);
        self.members.iter().find(|(id, _)| *id == wanted).map(|(_, label)| name(label))
    }
}

/// The objects of a layout with the names for them.
struct Objects<'a> {
    layout: &'a Layout,
    roles: &'a Labels,
    channels: &'a Labels,
    emojis: &'a Labels,
}

impl Objects<'_> {
    fn id(&self, object: &Value, labels: Option<&Labels>) -> Option<Name> {
        let needed = self.layout.keeps_ids || labels.is_some_and(|labels| labels.by_id(object));
        needed.then(|| name(id(&object["id"])))
    }

    fn emoji_name(&self, object: &Value, prefix: &str) -> Option<Name> {
        let (id, own) = (&object[format!("{prefix}id")], &object[format!("{prefix}name")]);
        if id.is_null() || *id == "" { string(own).map(name) } else { self.emojis.get(id) }
    }

    fn role_list(&self, all: &[&Value]) -> Vec<Role> {
        let listed = |role: &&&Value| !self.layout.bots_apart || role["tags"]["bot_id"].is_null();
        let mut sorted: Vec<&&Value> = all.iter().filter(listed).collect();
        sorted.sort_by_key(|role| (role["position"].as_i64(), id(&role["id"])));
        let mut next = 1;
        let mut list = Vec::new();
        for role in sorted {
            let is_everyone = role["name"] == "@everyone";
            let position = role["position"].as_i64().filter(|position| !is_everyone && *position != next);
            if !is_everyone {
                next += 1;
            }
            let color = role["colors"]["primary_color"]
                .as_u64()
                .or(role["color"].as_u64())
                .filter(|color| *color > 0);
            list.push(Role {
                name: name(role["name"].as_str().unwrap_or_default()),
                id: self.id(role, Some(self.roles)).filter(|_| !is_everyone),
                color: color.map(|color| name(format!("#{color:06x}"))),
                hoist: role["hoist"] == true,
                mentionable: role["mentionable"] == true,
                position,
                permissions: Some(permission_names(&role["permissions"])),
                unicode_emoji: string(&role["unicode_emoji"]),
            });
        }
        list
    }

    fn channel_list(&self) -> Vec<Channel> {
        let known = |channel: &&Value| KINDS.iter().any(|(_, kind)| channel["type"] == *kind);
        let mut all: Vec<&Value> = self.layout.channels.iter().filter(known).collect();
        all.sort_by_key(|channel| (channel["position"].as_i64(), id(&channel["id"])));
        let is_category = |channel: &&Value| channel["type"] == 4;
        let parents: Vec<String> =
            all.iter().filter(|c| is_category(c)).map(|channel| id(&channel["id"])).collect();
        let inside = |channel: &Value| parents.iter().position(|parent| *parent == id(&channel["parent_id"]));
        let mut next = 0;
        let mut list = Vec::new();
        for channel in all.iter().filter(|channel| inside(channel).is_none()) {
            let mut made = self.channel(channel, &mut next);
            let own = id(&channel["id"]);
            for inner in all.iter().filter(|inner| is_category(channel) && id(&inner["parent_id"]) == own) {
                let inner = self.channel(inner, &mut next);
                made.channels.push(inner);
            }
            list.push(made);
        }
        list
    }

    fn channel(&self, channel: &Value, next: &mut i64) -> Channel {
        let kind = KINDS.iter().find(|(_, kind)| channel["type"] == *kind).map_or("text", |(kind, _)| *kind);
        let position = channel["position"].as_i64().filter(|position| position != next);
        *next += 1;
        let is_forum = matches!(kind, "forum" | "media");
        let is_voice = matches!(kind, "voice" | "stage");
        let tags = channel["available_tags"].as_array().into_iter().flatten().filter(|_| is_forum);
        let small = |field: &str| {
            channel[field].as_u64().and_then(|number| u8::try_from(number).ok()).filter(|_| is_forum)
        };
        Channel {
            id: self.id(channel, Some(self.channels)),
            topic: string(&channel["topic"]),
            nsfw: channel["nsfw"] == true,
            slowmode: number(&channel["rate_limit_per_user"]),
            user_limit: number(&channel["user_limit"]).filter(|_| is_voice),
            bitrate: number(&channel["bitrate"]).filter(|bits| is_voice && *bits != 64_000),
            position,
            archive_after: number(&channel["default_auto_archive_duration"]),
            overwrites: self.overwrites(&channel["permission_overwrites"]),
            tags: tags.map(|tag| self.tag(tag)).collect(),
            default_reaction: self
                .emoji_name(&channel["default_reaction_emoji"], "emoji_")
                .filter(|_| is_forum),
            sort_order: small("default_sort_order"),
            layout: small("default_forum_layout").filter(|layout| *layout > 0),
            require_tag: is_forum
                && channel["flags"]
                    .as_u64()
                    .is_some_and(|flags| flags & crate::state::forum::REQUIRE_TAG != 0),
            ..Channel::new(kind, channel["name"].as_str().unwrap_or_default())
        }
    }

    fn overwrites(&self, list: &Value) -> Vec<Overwrite> {
        let mut made = Vec::new();
        for overwrite in list.as_array().into_iter().flatten() {
            let of_member = id(&overwrite["type"]) == "1" || overwrite["type"] == "member";
            let (role, member) = if of_member {
                (None, self.layout.member(&overwrite["id"]))
            } else {
                (self.roles.get(&overwrite["id"]), None)
            };
            if role.is_some() || member.is_some() {
                let (allow, deny) =
                    (permission_names(&overwrite["allow"]), permission_names(&overwrite["deny"]));
                made.push(Overwrite { role, member, allow, deny });
            }
        }
        made
    }

    fn tag(&self, tag: &Value) -> Tag {
        Tag {
            name: name(tag["name"].as_str().unwrap_or_default()),
            id: self.id(tag, None),
            emoji: self.emoji_name(tag, "emoji_"),
            moderated: tag["moderated"] == true,
        }
    }

    fn emoji(&self, emoji: &Value) -> Emoji {
        Emoji {
            name: name(emoji["name"].as_str().unwrap_or_default()),
            id: self.id(emoji, Some(self.emojis)),
            animated: emoji["animated"] == true,
            roles: self.roles.all(&emoji["roles"]),
        }
    }

    fn sticker(&self, sticker: &Value) -> Sticker {
        Sticker {
            name: name(sticker["name"].as_str().unwrap_or_default()),
            id: self.id(sticker, None),
            description: string(&sticker["description"]),
            tags: string(&sticker["tags"]),
        }
    }

    fn rule(&self, rule: &Value) -> Option<Rule> {
        let trigger = TRIGGERS.iter().find(|(_, kind)| rule["trigger_type"] == *kind)?.0;
        let metadata = &rule["trigger_metadata"];
        let texts = |field: &str| {
            let list = metadata[field].as_array().into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        let presets = metadata["presets"].as_array().into_iter().flatten();
        let preset = |number: &Value| PRESETS.get(usize::try_from(number.as_u64()?.checked_sub(1)?).ok()?);
        let actions = rule["actions"].as_array().into_iter().flatten();
        Some(Rule {
            name: name(rule["name"].as_str().unwrap_or_default()),
            id: self.id(rule, None),
            disabled: rule["enabled"] == false,
            trigger: (trigger != "keywords").then(|| name(trigger)),
            keywords: texts("keyword_filter"),
            regex: texts("regex_patterns"),
            allow: texts("allow_list"),
            presets: presets.filter_map(preset).map(|preset| name(*preset)).collect(),
            mention_limit: number(&metadata["mention_total_limit"]),
            raid_protection: metadata["mention_raid_protection_enabled"] == true,
            actions: actions.filter_map(|action| self.action(action)).collect(),
            exempt_roles: self.roles.all(&rule["exempt_roles"]),
            exempt_channels: self.channels.all(&rule["exempt_channels"]),
        })
    }

    fn action(&self, action: &Value) -> Option<Action> {
        let metadata = &action["metadata"];
        let none = Action::default();
        Some(match action["type"].as_u64()? {
            1 => {
                Action { block: Some(name(metadata["custom_message"].as_str().unwrap_or_default())), ..none }
            }
            2 => Action { alert: Some(self.channels.get(&metadata["channel_id"])?), ..none },
            3 => Action { timeout: Some(number(&metadata["duration_seconds"])?), ..none },
            4 => Action { block_member: true, ..none },
            _ => return None,
        })
    }

    fn welcome_screen(&self, screen: &Value) -> WelcomeScreen {
        let channel = |shown: &Value| {
            Some(WelcomeChannel {
                channel: self.channels.get(&shown["channel_id"])?,
                description: shown["description"].as_str().unwrap_or_default().to_owned(),
                emoji: self.emoji_name(shown, "emoji_"),
            })
        };
        let channels = screen["welcome_channels"].as_array().into_iter().flatten();
        WelcomeScreen {
            disabled: screen["enabled"] == false,
            description: string(&screen["description"]),
            channels: channels.filter_map(channel).collect(),
        }
    }

    fn onboarding(&self, asked: &Value) -> Onboarding {
        let option = |option: &Value| Choice {
            title: name(option["title"].as_str().unwrap_or_default()),
            id: self.id(option, None),
            description: string(&option["description"]),
            emoji: self.emoji_name(&option["emoji"], ""),
            roles: self.roles.all(&option["role_ids"]),
            channels: self.channels.all(&option["channel_ids"]),
        };
        let prompt = |prompt: &Value| Prompt {
            title: name(prompt["title"].as_str().unwrap_or_default()),
            id: self.id(prompt, None),
            single: prompt["single_select"] == true,
            required: prompt["required"] == true,
            later: prompt["in_onboarding"] == false,
            dropdown: prompt["type"] == 1,
            options: prompt["options"].as_array().into_iter().flatten().map(option).collect(),
        };
        Onboarding {
            disabled: asked["enabled"] == false,
            advanced: asked["mode"] == 1,
            channels: self.channels.all(&asked["default_channel_ids"]),
            prompts: asked["prompts"].as_array().into_iter().flatten().map(prompt).collect(),
        }
    }
}
