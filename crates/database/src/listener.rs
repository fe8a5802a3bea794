//! Hears from PostgreSQL which documents other processes have written.

use std::sync::Arc;
use std::time::Duration;

use sdk_core::PluginId;
use sdk_core::database::{DocumentKey, Scope};
use serenity::all::{GuildId, UserId};
use sqlx::PgPool;
use sqlx::postgres::PgListener;

use crate::cache::Cache;

/// The channel of notifications.
const CHANNEL: &str = "hotcord_documents";
const AGAIN: Duration = Duration::from_secs(1);

/// Notifies all processes of every written document, when its transaction is committed.
pub(crate) const TRIGGER: &str = "
    CREATE OR REPLACE FUNCTION hotcord_documents_changed() RETURNS trigger AS $$
    BEGIN
        -- Erased, which is rare: everything is read again.
        IF TG_OP = 'DELETE' THEN
            PERFORM pg_notify('hotcord_documents', '');
            RETURN NULL;
        END IF;
        PERFORM pg_notify('hotcord_documents', json_build_array(
            NEW.plugin, NEW.kind, NEW.guild, NEW.user_id, NEW.revision)::text);
        RETURN NULL;
    END
    $$ LANGUAGE plpgsql;
    DROP TRIGGER IF EXISTS hotcord_documents_changed ON hotcord_documents;
    CREATE TRIGGER hotcord_documents_changed AFTER INSERT OR UPDATE OR DELETE ON hotcord_documents
        FOR EACH ROW EXECUTE FUNCTION hotcord_documents_changed();
";

/// Keeps the cache up to date for as long as the task runs. While the connection is lost, nothing is cached.
pub(crate) async fn listen(pool: PgPool, cache: Arc<Cache>) {
    loop {
        match PgListener::connect_with(&pool).await {
            Ok(mut listener) => {
                // A lost connection must be seen, since notifications are lost with it.
                listener.eager_reconnect(false);
                if listener.listen(CHANNEL).await.is_ok() {
                    cache.restart(true);
                    hear(&mut listener, &cache).await;
                }
            }
            Err(sqlx::Error::PoolClosed) => return,
            Err(error) => tracing::debug!(%error, "the database cannot be listened to"),
        }
        cache.restart(false);
        tokio::time::sleep(AGAIN).await;
    }
}

/// Handles notifications until the connection is lost.
async fn hear(listener: &mut PgListener, cache: &Cache) {
    while let Ok(Some(notification)) = listener.try_recv().await {
        match read(notification.payload()) {
            Some((key, revision)) => cache.outdate(&key, revision),
            None => cache.restart(true),
        }
    }
}

/// Returns the document and its revision that a notification names.
fn read(payload: &str) -> Option<(DocumentKey, u64)> {
    let (plugin, kind, guild, user, revision) =
        serde_json::from_str::<(String, String, i64, i64, u64)>(payload).ok()?;
    let guild = (guild != 0).then(|| GuildId::new(guild.cast_unsigned()));
    let user = (user != 0).then(|| UserId::new(user.cast_unsigned()));
    let scope = match (guild, user) {
        (None, None) => Scope::Global,
        (Some(guild), None) => Scope::Guild(guild),
        (None, Some(user)) => Scope::User(user),
        (Some(guild), Some(user)) => Scope::Member(guild, user),
    };
    Some((DocumentKey { plugin: PluginId::new(plugin), kind, scope }, revision))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_names_a_document_and_its_revision() {
        let (key, revision) = read(r#"["commands/one", "settings", 7, 0, 3]"#).unwrap();
        assert_eq!((key.plugin.as_str(), key.kind.as_str(), revision), ("commands/one", "settings", 3));
        assert_eq!(key.scope, Scope::Guild(GuildId::new(7)));
        assert_eq!(
            read(r#"["a", "b", 7, 9, 1]"#).unwrap().0.scope,
            Scope::Member(GuildId::new(7), UserId::new(9))
        );
        assert!(read("").is_none() && read("{}").is_none());
    }
}
