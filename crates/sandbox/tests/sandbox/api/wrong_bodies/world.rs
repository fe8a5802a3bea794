//! What wrong bodies are sent about: a guild with something of everything.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use sandbox::client::Run;
use serde_json::{Value, json};

use super::picture;
use crate::api::bot::{Bot, PNG, id, text};

/// Names and what they stand for.
pub(super) struct World(Vec<(String, String)>);

impl World {
    /// Creates a world of names alone.
    pub(super) fn of<const N: usize>(names: [(&str, &str); N]) -> Self {
        Self(names.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec())
    }

    /// Replaces names, and numbers by as many letters.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('<') {
            filled.push_str(before);
            let Some((name, after)) = after.split_once('>') else {
                filled.push('<');
                rest = after;
                continue;
            };
            let known = self.0.iter().find(|(known, _)| known == name);
            match (known, name.parse()) {
                (Some((_, value)), _) => filled.push_str(value),
                (None, Ok(letters)) => filled.push_str(&"x".repeat(letters)),
                (None, Err(_)) => filled.push_str(&format!("<{name}>")),
            }
            rest = after;
        }
        filled + rest
    }

    fn put(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }

    /// Starts a sandbox and makes something of everything in it.
    pub(super) async fn start() -> (Bot, Self) {
        let mut bot = Bot::start().await;
        let perks = json!({ "boosts": 14, "add_features": ["ROLE_ICONS", "NEWS", "COMMUNITY"] });
        bot.user.edit_guild("Sandbox", &perks).await.unwrap();
        let mut world = Self(Vec::new());
        world.put("guild", bot.sandbox.guild_id().to_string());
        world.put("bot", bot.sandbox.bot_id().to_string());
        // An id of no object, a second older than the others.
        world.put("nothing", (bot.sandbox.guild_id().0 - (1000 << 22)).to_string());
        for name in ["alice", "bob"] {
            world.put(name, bot.sandbox.user_id(name).unwrap().to_string());
        }
        world.put("text", bot.sandbox.channel_id("general").unwrap().to_string());
        world.put("category", bot.sandbox.channel_id("Text channels").unwrap().to_string());
        world.put("voice", bot.sandbox.channel_id("Lounge").unwrap().to_string());
        world.put("png", PNG);
        world.make_channels(&bot).await;
        world.make_messages(&bot).await;
        world.make_things(&bot).await;
        world.make_interactions(&mut bot).await;
        (bot, world)
    }

    async fn make(&mut self, bot: &Bot, name: &str, path: &str, body: &Value) -> Value {
        let path = self.fill(path);
        let (status, made) = bot.call(Method::POST, &path, body).await;
        assert!(status < 300, "{path}: {made}");
        self.put(name, made["id"].as_str().unwrap_or_default());
        made
    }

    async fn make_channels(&mut self, bot: &Bot) {
        for (name, kind) in [("other", 0), ("news", 5), ("stage", 13), ("second_stage", 13), ("forum", 15)] {
            self.make(bot, name, "/guilds/<guild>/channels", &json!({ "name": name, "type": kind })).await;
        }
        let thread = json!({ "name": "thread", "type": 11 });
        self.make(bot, "thread", "/channels/<text>/threads", &thread).await;
        let dm =
            self.make(bot, "dm", "/users/@me/channels", &json!({ "recipient_id": self.fill("<bob>") })).await;
        assert_eq!(dm["type"], 1);
    }

    async fn make_messages(&mut self, bot: &Bot) {
        let button = json!([{ "type": 1, "components": [
            { "type": 2, "style": 1, "label": "l", "custom_id": "b" } ] }]);
        let body = json!({ "content": "c", "components": button });
        self.make(bot, "message", "/channels/<text>/messages", &body).await;
        self.make(bot, "elsewhere", "/channels/<other>/messages", &json!({ "content": "c" })).await;
        let poll = json!({ "poll": { "question": { "text": "q" }, "answers": [{ "poll_media": { "text": "a" } }] } });
        self.make(bot, "poll", "/channels/<text>/messages", &poll).await;
        let theirs = bot.user.send("bob", "general", "theirs").await.unwrap();
        self.put("theirs", text(&theirs["id"]));
        let hook = self.make(bot, "hook", "/channels/<text>/webhooks", &json!({ "name": "hook" })).await;
        self.put("hook_token", text(&hook["token"]));
        self.make(bot, "forum_hook", "/channels/<forum>/webhooks", &json!({ "name": "hook" })).await;
        let token = bot.get(&self.fill("/webhooks/<forum_hook>")).await;
        self.put("forum_hook_token", text(&token["token"]));
        let sent = "/webhooks/<hook>/<hook_token>?wait=true";
        self.make(bot, "hook_message", sent, &json!({ "content": "c" })).await;
    }

    async fn make_things(&mut self, bot: &Bot) {
        self.make(bot, "role", "/guilds/<guild>/roles", &json!({ "name": "role" })).await;
        self.make(bot, "emoji", "/guilds/<guild>/emojis", &json!({ "name": "blob", "image": PNG })).await;
        let own = json!({ "name": "blob", "image": PNG });
        self.make(bot, "own_emoji", "/applications/<bot>/emojis", &own).await;
        let file = Part::bytes(picture("png")).file_name("a.png");
        let sticker = Form::new().text("name", "wave").text("tags", "wave").part("file", file);
        let (_, made) = bot.upload(Method::POST, &self.fill("/guilds/<guild>/stickers"), sticker).await;
        self.put("sticker", text(&made["id"]));
        let event = json!({ "name": "e", "privacy_level": 2, "entity_type": 3,
            "scheduled_start_time": "2130-01-01T00:00:00Z", "scheduled_end_time": "2130-01-02T00:00:00Z",
            "entity_metadata": { "location": "l" } });
        self.make(bot, "event", "/guilds/<guild>/scheduled-events", &event).await;
        let rule = json!({ "name": "r", "event_type": 1, "trigger_type": 1,
            "trigger_metadata": { "keyword_filter": ["zebra"] }, "actions": [{ "type": 1 }] });
        self.make(bot, "rule", "/guilds/<guild>/auto-moderation/rules", &rule).await;
        let stage = json!({ "channel_id": self.fill("<stage>"), "topic": "t" });
        self.make(bot, "instance", "/stage-instances", &stage).await;
        let template = self.make(bot, "template", "/guilds/<guild>/templates", &json!({ "name": "t" })).await;
        self.put("template_code", text(&template["code"]));
        let sound = json!({ "name": "sound", "sound": crate::api::soundboard::mp3(10) });
        let made = self.make(bot, "unused", "/guilds/<guild>/soundboard-sounds", &sound).await;
        self.put("sound", text(&made["sound_id"]));
        self.put("sound_file", crate::api::soundboard::mp3(10));
        let asked = json!({ "name": "do", "description": "d", "options": [
            { "type": 3, "name": "what", "description": "d", "autocomplete": true } ] });
        self.make(bot, "command", "/applications/<bot>/guilds/<guild>/commands", &asked).await;
        self.make(bot, "lobby", "/lobbies", &json!({})).await;
        let global = json!({ "name": "global", "description": "d" });
        self.make(bot, "global_command", "/applications/<bot>/commands", &global).await;
    }

    /// Starts an interaction of each kind and leaves it unanswered, but for one that is deferred.
    async fn make_interactions(&mut self, bot: &mut Bot) {
        let user = bot.user.clone();
        let message = id(&json!(self.fill("<message>")));
        for name in ["slash", "deferred", "button", "typing"] {
            let user = user.clone();
            tokio::spawn(async move {
                // The bot never answers; the test is over before that is an error.
                let _ = match name {
                    "button" => user.press("alice", message, "b").await,
                    "typing" => user.complete(Run::typed("/do what:x")).await,
                    _ => user.say("/do").await,
                };
            });
            let interaction = bot.event("INTERACTION_CREATE").await;
            let (id, token) = (text(&interaction["id"]), text(&interaction["token"]));
            self.put(name, format!("{id}/{token}"));
            if name == "deferred" {
                assert_eq!(bot.callback(&interaction, json!({ "type": 5 })).await.0, 204);
                self.put("answer", format!("{}/{token}", bot.sandbox.bot_id()));
                let followup = bot.webhook(&interaction);
                let original = format!("{followup}/messages/@original");
                bot.expect(200, Method::PATCH, &original, &json!({ "content": "c" })).await;
                let second = bot.post(&followup, json!({ "content": "c" })).await;
                self.put("followup", text(&second["id"]));
            }
        }
    }
}
