//! Users, roles, channels and files that options, menus and modals name, resolved as in interactions.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::find;
use crate::draft::safe_name;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::message::Attachment;
use crate::state::{File, World, picture};
use crate::typed::{FileError, Found, FoundUser, Named, Resolver, ValueError};
use crate::validate::file_types;

/// A file in a request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileGiven {
    /// Its bytes.
    pub(super) base64: String,
    /// Its name. The default is the end of the path.
    pub(super) filename: Option<String>,
}

/// Looks up names in a channel.
pub(super) struct Lookup<'a> {
    world: &'a mut World,
    user: Snowflake,
    channel: Snowflake,
    guild: Option<Snowflake>,
    files: &'a HashMap<String, FileGiven>,
}

impl<'a> Lookup<'a> {
    /// Creates a lookup in this channel, with the permissions of this user.
    pub(super) fn new(
        world: &'a mut World,
        user: Snowflake,
        channel: Snowflake,
        files: &'a HashMap<String, FileGiven>,
    ) -> Self {
        let guild = world.channels.get(&channel).and_then(|channel| channel.guild_id);
        Self { world, user, channel, guild, files }
    }

    fn named_user(&self, name: &str) -> Option<Snowflake> {
        if let Some(user) = self.world.find_user(name) {
            return Some(user.id);
        }
        let same = |other: Option<&str>| other.is_some_and(|other| other.eq_ignore_ascii_case(name));
        let guild = self.guild.and_then(|id| self.world.guilds.get(&id));
        let by_nick =
            guild.and_then(|guild| guild.members.values().find(|member| same(member.nick.as_deref())));
        by_nick.map(|member| member.user_id).or_else(|| {
            self.world.users.values().find(|user| same(user.global_name.as_deref())).map(|user| user.id)
        })
    }
}

impl Resolver for Lookup<'_> {
    fn user(&mut self, named: Named<'_>) -> Option<FoundUser> {
        let id = match named {
            Named::Id(id) => id,
            Named::Name(name) => self.named_user(name)?,
        };
        let user = self.world.users.get(&id)?.json();
        let member = self.guild.and_then(|guild| member(self.world, guild, id));
        Some(FoundUser { id, user, member })
    }

    fn role(&mut self, named: Named<'_>) -> Option<Found> {
        let guild = self.world.guilds.get(&self.guild?)?;
        let role = match named {
            Named::Id(id) => guild.roles.get(&id)?,
            Named::Name(name) => guild.roles.get(&find::role(guild, name).ok()?)?,
        };
        Some(Found { id: role.id, object: role.json() })
    }

    fn channel(&mut self, named: Named<'_>) -> Option<Found> {
        let guild = self.world.guilds.get(&self.guild?)?;
        let mut all =
            guild.channels.iter().chain(&guild.threads).filter_map(|id| self.world.channels.get(id));
        let channel = match named {
            Named::Id(id) => all.find(|channel| channel.id == id)?,
            Named::Name(name) => all.find(|channel| channel.name.eq_ignore_ascii_case(name))?,
        };
        let permissions = self.world.permissions_in(self.user, channel);
        let visible = permissions.contains(Permissions::VIEW_CHANNEL);
        visible.then(|| Found { id: channel.id, object: channel.partial_json(permissions) })
    }

    fn attach(&mut self, path: &str) -> Result<Found, FileError> {
        let given = self.files.get(path).ok_or_else(|| FileError::Missing { path: path.to_owned() })?;
        let bytes = STANDARD
            .decode(&given.base64)
            .map_err(|source| FileError::Encoding { path: path.to_owned(), source })?;
        let name = given.filename.as_deref().or(path.rsplit(['/', '\\']).next()).unwrap_or(path);
        let filename = safe_name(name);
        let content_type = picture::sniff(&bytes).unwrap_or(picture::content_type_of(&filename)).to_owned();
        let attachment = Attachment {
            id: self.world.next_id(),
            channel_id: self.channel,
            filename: filename.clone(),
            title: None,
            description: None,
            content_type: content_type.clone(),
            size: bytes.len(),
            dimensions: picture::dimensions(&bytes),
            ephemeral: true,
            spoiler: false,
            recording: None,
        };
        let object = attachment.json(&self.world.files_url);
        self.world.keep_upload(attachment.id, File { filename, content_type, bytes: bytes.into() });
        Ok(Found { id: attachment.id, object })
    }
}

/// Returns the partial member object of `resolved`: without user, deaf and mute, with permissions.
pub(super) fn member(world: &World, guild: Snowflake, user: Snowflake) -> Option<Value> {
    let guild = world.guilds.get(&guild)?;
    let mut value = guild.members.get(&user)?.partial_json();
    let object = value.as_object_mut()?;
    object.remove("deaf");
    object.remove("mute");
    object.insert("permissions".into(), json!(world.guild_permissions(user, guild)));
    Some(value)
}

/// The content of `resolved`.
#[derive(Debug, Default)]
pub(super) struct Resolved(Map<String, Value>);

impl Resolved {
    fn put(&mut self, kind: &str, id: Snowflake, object: Value) {
        let map = self.0.entry(kind).or_insert_with(|| json!({}));
        map[id.to_string()] = object;
    }

    /// Adds a user and returns their id; `None` if there is none of that name.
    pub(super) fn user(&mut self, lookup: &mut Lookup<'_>, wanted: &str) -> Option<Snowflake> {
        let found = lookup.user(Named::user(wanted)?)?;
        self.put("users", found.id, found.user);
        if let Some(member) = found.member {
            self.put("members", found.id, member);
        }
        Some(found.id)
    }

    /// Adds a role and returns its id.
    pub(super) fn role(&mut self, lookup: &mut Lookup<'_>, wanted: &str) -> Option<Snowflake> {
        let found = lookup.role(Named::role(wanted)?)?;
        self.put("roles", found.id, found.object);
        Some(found.id)
    }

    /// Adds a channel of one of these types, or of any if the list is empty, and returns its id.
    pub(super) fn channel(
        &mut self,
        lookup: &mut Lookup<'_>,
        wanted: &str,
        types: &[Value],
    ) -> Option<Snowflake> {
        let found = lookup.channel(Named::channel(wanted)?)?;
        let fits = types.is_empty() || types.contains(&found.object["type"]);
        fits.then(|| {
            self.put("channels", found.id, found.object);
            found.id
        })
    }

    /// Adds a file of one of these types, or of any if the list is empty, and returns its id.
    pub(super) fn attachment(
        &mut self,
        lookup: &mut Lookup<'_>,
        path: &str,
        types: &[String],
    ) -> Result<Snowflake, ValueError> {
        let found = lookup.attach(path).map_err(ValueError::File)?;
        let filename = found.object["filename"].as_str().unwrap_or_default();
        if !file_types::takes(types, filename) {
            return Err(ValueError::FileKind { wanted: types.to_vec(), filename: filename.to_owned() });
        }
        self.put("attachments", found.id, found.object);
        Ok(found.id)
    }

    /// Returns the object, if anything was added.
    pub(super) fn finish(self) -> Option<Value> {
        (!self.0.is_empty()).then_some(Value::Object(self.0))
    }
}
