//! What a host says of itself.

use std::io;

use sandbox::Sandbox;

/// What a host counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// Tasks that plugins have started.
    pub tasks: u64,
    /// Listeners and handlers.
    pub listeners: u64,
    /// Retired generations in which something still runs or is referred to.
    pub retired: u64,
}

impl Inside {
    /// Asks by `/dev plugins`.
    ///
    /// # Errors
    /// When that is not answered.
    pub async fn of(sandbox: &Sandbox) -> io::Result<Self> {
        let answer = sandbox
            .client()
            .say("/dev plugins")
            .await
            .map_err(|error| io::Error::other(error.to_string()))?;
        let words = answer.embeds.iter().filter_map(|embed| embed["description"].as_str()).collect();
        Ok(Self::read(words))
    }

    fn read(words: String) -> Self {
        let (live, retired) = words.split_once("**Retired").unwrap_or((&words, ""));
        let told = |part: &str| part.lines().filter(|line| line.starts_with('`')).count() as u64;
        let _ = live;
        Self {
            tasks: words.lines().filter(|line| line.starts_with('–')).count() as u64,
            listeners: 0,
            retired: told(retired),
        }
    }
}
