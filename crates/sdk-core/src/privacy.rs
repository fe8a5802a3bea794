//! What is kept about a user or a guild: exporting and erasing it, and forgetting guilds that the bot has left.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use serenity::all::{GuildId, UserId};

use crate::clock::{milliseconds, since_1970};
use crate::database::{DatabaseError, Engine, Parameter, PersonalData, Row};
use crate::host::Host;
use crate::{Data, Error, PluginId, Refusal};

/// Most bytes of documents that are exported.
pub const MAX_EXPORT: u64 = 10 * 1024 * 1024;
/// Most rows of a table that are exported.
pub const MAX_ROWS: usize = 20_000;

/// Whose data it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A user, in all guilds.
    User(UserId),
    /// A guild, with what is kept about its members there.
    Guild(GuildId),
}

impl Subject {
    fn parameter(self) -> Parameter {
        match self {
            Self::User(user) => user.into(),
            Self::Guild(guild) => guild.into(),
        }
    }

    fn export(self, data: &PersonalData) -> Option<&'static str> {
        match self {
            Self::User(_) => data.export_user,
            Self::Guild(_) => data.export_guild,
        }
    }

    fn erase(self, data: &PersonalData) -> Option<&'static str> {
        match self {
            Self::User(_) => data.erase_user,
            Self::Guild(_) => data.erase_guild,
        }
    }

    /// Returns the documents' column with the id.
    fn column(self) -> &'static str {
        match self {
            Self::User(_) => "user_id",
            Self::Guild(_) => "guild",
        }
    }

    /// Returns the statement for the size of all documents.
    fn size(self) -> String {
        let column = self.column();
        format!(
            "SELECT CAST(COALESCE(SUM(LENGTH(body)), 0) AS BIGINT) FROM hotcord_documents WHERE {column} = $1"
        )
    }

    fn documents(self) -> String {
        let column = self.column();
        format!(
            "SELECT plugin, kind, guild, user_id, body FROM hotcord_documents \
             WHERE {column} = $1 AND body IS NOT NULL ORDER BY plugin, kind, guild, user_id"
        )
    }

    fn erase_documents(self) -> String {
        format!("DELETE FROM hotcord_documents WHERE {} = $1", self.column())
    }
}

#[derive(Deserialize)]
struct Document {
    plugin: String,
    kind: String,
    guild: i64,
    user_id: i64,
    body: String,
}

impl Document {
    fn json(self) -> Value {
        let id = |id: i64| (id != 0).then(|| id.cast_unsigned().to_string());
        let body = serde_json::from_str(&self.body).unwrap_or(Value::String(self.body));
        json!({ "plugin": self.plugin, "kind": self.kind, "guild": id(self.guild), "user": id(self.user_id), "value": body })
    }
}

impl Host {
    /// Returns what live plugins' tables have about users and guilds.
    fn personal_data(&self) -> Vec<(PluginId, PersonalData)> {
        let live = self.registry().snapshot();
        let generations = live.generations().iter();
        let all = generations.flat_map(|(plugin, generation)| {
            generation.personal_data().iter().map(|data| (plugin.clone(), *data))
        });
        all.collect()
    }

    fn engine(&self) -> Result<&dyn Engine, DatabaseError> {
        Ok(&**self.database().ok_or_else(DatabaseError::none)?)
    }

    /// Returns what is kept about a user or a guild: documents, and what live plugins' tables have. `None` if it is more than
    /// [`MAX_EXPORT`] bytes of documents or [`MAX_ROWS`] rows of a table.
    ///
    /// # Errors
    /// If the database does not answer or refuses a plugin's statement.
    pub async fn export(&self, subject: Subject) -> Result<Option<Value>, DatabaseError> {
        let engine = self.engine()?;
        let size = engine.fetch(&subject.size(), vec![subject.parameter()]).await?.into_iter().next();
        if size.map(Row::read_first::<u64>).transpose()?.unwrap_or_default() > MAX_EXPORT {
            return Ok(None);
        }
        let mut documents = Vec::new();
        for row in engine.fetch(&subject.documents(), vec![subject.parameter()]).await? {
            documents.push(row.read::<Document>()?.json());
        }
        let mut tables = BTreeMap::<String, BTreeMap<&str, Vec<Value>>>::new();
        for (plugin, data) in self.personal_data() {
            let Some(statement) = subject.export(&data) else { continue };
            let statement = format!("SELECT * FROM ({statement}) AS found LIMIT {}", MAX_ROWS + 1);
            let rows = engine.fetch(&statement, vec![subject.parameter()]).await?;
            if rows.len() > MAX_ROWS {
                return Ok(None);
            }
            let rows = rows.into_iter().map(Row::read).collect::<Result<_, _>>()?;
            tables.entry(plugin.to_string()).or_default().insert(data.name, rows);
        }
        let about = match subject {
            Subject::User(user) => json!({ "user": user.to_string() }),
            Subject::Guild(guild) => json!({ "guild": guild.to_string() }),
        };
        Ok(Some(json!({ "about": about, "at": since_1970(), "documents": documents, "tables": tables })))
    }

    /// Erases what [`export`](Self::export) returns, but for tables that say why they retain it, in one transaction. Returns
    /// the number of rows.
    ///
    /// # Errors
    /// If the database does not answer or refuses a plugin's statement. Nothing is erased then.
    pub async fn erase(&self, subject: Subject) -> Result<u64, DatabaseError> {
        let engine = self.engine()?;
        let mut transaction = engine.begin().await?;
        let mut rows = transaction.execute(&subject.erase_documents(), vec![subject.parameter()]).await?;
        for (_, data) in self.personal_data() {
            if let Some(statement) = subject.erase(&data) {
                rows += transaction.execute(statement, vec![subject.parameter()]).await?;
            }
        }
        transaction.commit().await?;
        engine.forget_documents();
        if let Subject::Guild(guild) = subject {
            self.servers().forget(guild);
        }
        Ok(rows)
    }

    /// Notes which guilds the bot has left, and erases those that it left longer than `kept` ago; without `kept`, none.
    /// `guilds` are those in which it is. Returns how many guilds and rows were erased.
    ///
    /// Another application may use the same database: a guild that any of them is in is not noted any more.
    ///
    /// # Errors
    /// If the database does not answer or refuses a plugin's statement.
    pub async fn erase_left_guilds(
        &self,
        guilds: &BTreeSet<GuildId>,
        kept: Option<Duration>,
    ) -> Result<(u64, u64), DatabaseError> {
        let engine = self.engine()?;
        let there: BTreeSet<i64> = guilds.iter().map(|guild| guild.get().cast_signed()).collect();
        let documents = "SELECT DISTINCT guild FROM hotcord_documents WHERE guild <> 0";
        let tables = self.personal_data().into_iter().filter_map(|(_, data)| data.guilds);
        let mut known = BTreeSet::new();
        for statement in tables.chain([documents]) {
            for row in engine.fetch(statement, Vec::new()).await? {
                known.insert(row.read_first::<i64>()?);
            }
        }
        let mut noted = BTreeMap::new();
        for row in engine.fetch("SELECT guild, left_ms FROM hotcord_left_guilds", Vec::new()).await? {
            let Left { guild, left_ms } = row.read()?;
            noted.insert(guild, left_ms);
        }
        let now = since_1970();
        let left = known.difference(&there).filter(|guild| kept.is_some() && !noted.contains_key(guild));
        for guild in left {
            let note = "INSERT INTO hotcord_left_guilds (guild, left_ms) VALUES ($1, $2) ON CONFLICT (guild) DO NOTHING";
            let now = Parameter::Integer(now.cast_signed());
            engine.execute(note, vec![(*guild).into(), now]).await?;
        }
        let mut erased = (0, 0);
        for (guild, since) in noted {
            if guild != 0 && known.contains(&guild) && !there.contains(&guild) {
                if kept.is_none_or(|kept| now.saturating_sub(since) < milliseconds(kept)) {
                    continue;
                }
                erased.0 += 1;
                erased.1 += self.erase(Subject::Guild(GuildId::new(guild.cast_unsigned()))).await?;
            }
            // The bot is back, or nothing is kept any more.
            engine.execute("DELETE FROM hotcord_left_guilds WHERE guild = $1", vec![guild.into()]).await?;
        }
        Ok(erased)
    }
}

#[derive(Deserialize)]
struct Left {
    guild: i64,
    left_ms: u64,
}

impl Data {
    /// Returns what is kept about a user or a guild, as JSON.
    ///
    /// # Errors
    /// As [`Host::export`], and a refusal if it is too much.
    pub async fn export_personal_data(&self, subject: Subject) -> Result<Value, Error> {
        let host = Host::of(self).ok_or_else(DatabaseError::none)?;
        let words = "It is more than Discord takes as a file. Please ask whoever runs this bot for it.";
        Ok(host.export(subject).await?.ok_or_else(|| Refusal::new(words))?)
    }

    /// Returns what an erasure means, as sentences for whoever asks for it.
    pub fn erasure_remarks(&self, subject: Subject) -> Vec<&'static str> {
        let data = Host::of(self).map(|host| host.personal_data()).unwrap_or_default();
        let remark = |data: &PersonalData| match subject {
            Subject::User(_) => data.retained,
            Subject::Guild(_) => data.consequence,
        };
        data.iter().filter_map(|(_, data)| remark(data)).collect()
    }

    /// Erases what is kept about a user or a guild. Returns the number of rows.
    ///
    /// # Errors
    /// As [`Host::erase`].
    pub async fn erase_personal_data(&self, subject: Subject) -> Result<u64, Error> {
        let host = Host::of(self).ok_or_else(DatabaseError::none)?;
        Ok(host.erase(subject).await?)
    }
}
