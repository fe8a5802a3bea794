//! Hears from PostgreSQL which documents and timers other processes have written.

use std::sync::Arc;
use std::time::Duration;

use sdk_core::PluginId;
use sdk_core::database::{DocumentChange, DocumentKey, TIMER_CHANGES, TimerChange};
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::broadcast::Sender;

use crate::cache::Cache;
use crate::documents;

/// The channel of notifications about documents.
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
/// `changes` is told of every written document, and of all of them when some may have been missed; `timers` likewise.
pub(crate) async fn listen(
    pool: PgPool,
    cache: Arc<Cache>,
    changes: Sender<DocumentChange>,
    timers: Sender<TimerChange>,
) {
    // Without a receiver nobody has to be told.
    let tell = |change| _ = changes.send(change);
    loop {
        match PgListener::connect_with(&pool).await {
            Ok(mut listener) => {
                // A lost connection must be seen, since notifications are lost with it.
                listener.eager_reconnect(false);
                if listener.listen_all([CHANNEL, TIMER_CHANGES]).await.is_ok() {
                    cache.restart(true);
                    tell(DocumentChange::All);
                    let _ = timers.send(TimerChange::All);
                    hear(&mut listener, &cache, tell, &timers).await;
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
async fn hear(
    listener: &mut PgListener,
    cache: &Cache,
    tell: impl Fn(DocumentChange),
    timers: &Sender<TimerChange>,
) {
    while let Ok(Some(notification)) = listener.try_recv().await {
        if notification.channel() == TIMER_CHANGES {
            let _ = timers.send(TimerChange::One(notification.payload().to_owned()));
            continue;
        }
        match read(notification.payload()) {
            Some((key, revision)) => {
                cache.outdate(&key, revision);
                tell(DocumentChange::One(key));
            }
            None => {
                cache.restart(true);
                tell(DocumentChange::All);
            }
        }
    }
}

/// Returns the document and its revision that a notification names.
fn read(payload: &str) -> Option<(DocumentKey, u64)> {
    let (plugin, kind, guild, user, revision) =
        serde_json::from_str::<(String, String, i64, i64, u64)>(payload).ok()?;
    Some((
        DocumentKey { plugin: PluginId::new(plugin), kind, scope: documents::scope(guild, user) },
        revision,
    ))
}

#[cfg(test)]
mod tests {
    use sdk_core::database::Scope;
    use serenity::all::{GuildId, UserId};

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
