//! Commands that may take longer than the three seconds that Discord waits for an answer.

use std::time::Duration;

use sdk::prelude::*;
use sdk::tokio::time::timeout;

/// Time after which the answer is deferred. An answer before that needs no "thinking".
const SOON: Duration = Duration::from_millis(1_200);

/// Waits for `work`, and defers the answer if it takes long.
///
/// Only the user sees an error: after "thinking", Discord shows the first answer to everyone, so that line is deleted
/// first.
pub(crate) async fn defer_if_slow<T>(
    ctx: Context<'_>,
    work: impl Future<Output = Result<T, Error>> + Send,
) -> Result<T, Error> {
    let mut work = std::pin::pin!(work);
    if let Ok(done) = timeout(SOON, &mut work).await {
        return done;
    }
    ctx.defer().await?;
    let done = work.await;
    if done.is_err()
        && let poise::Context::Application(app) = ctx
    {
        app.interaction.delete_response(ctx.http()).await?;
    }
    done
}
