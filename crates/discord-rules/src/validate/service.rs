//! Bodies that other services send to a webhook, converted into those of messages (Webhook Resource, "Execute
//! Slack-Compatible Webhook" and "Execute GitHub-Compatible Webhook").

mod github;
mod slack;

pub use github::github;
pub use slack::slack;

/// Returns a text that is not longer than this.
fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max - 3).collect::<String>() + "..."
}
