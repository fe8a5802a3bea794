//! Commands that may take longer than the three seconds that Discord waits for an answer.

use std::time::Duration;

use sdk::prelude::*;
use sdk::tokio::time::timeout;

/// Time after which Discord is asked to wait; an answer that comes before it needs no "thinking".
const SOON: Duration = Duration::from_millis(1_200);

/// Waits for `work`, and has Discord say that the bot thinks when it is not done soon.
///
/// An error is told to who asked alone: Discord shows the first answer to everyone once it has said "thinking", so that
/// line is taken away first.
pub(crate) async fn patiently<T>(
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
