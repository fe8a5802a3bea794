//! The identity of a plugin.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Identifies a plugin by its folder in the workspace, for example `commands/general`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PluginId(Arc<str>);

impl PluginId {
    /// Creates an id from the folder's path inside the workspace, with forward slashes.
    pub fn new(folder: impl AsRef<str>) -> Self {
        Self(folder.as_ref().into())
    }

    /// Creates the id of a package named `commands-NAME` or `events-NAME`, as plugins in this workspace are.
    ///
    /// Any other package name is used as it is.
    pub fn from_package(package: &str) -> Self {
        for folder in ["commands", "events"] {
            if let Some(name) = package.strip_prefix(folder).and_then(|rest| rest.strip_prefix('-')) {
                return Self(format!("{folder}/{name}").into());
            }
        }
        Self(package.into())
    }

    /// Returns the id as written in logs and commands.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the last part, `general` for `commands/general`.
    pub fn short(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_name_tells_the_folder() {
        assert_eq!(PluginId::from_package("commands-general").as_str(), "commands/general");
        assert_eq!(PluginId::from_package("events-mod-log").as_str(), "events/mod-log");
        assert_eq!(PluginId::from_package("other").as_str(), "other");
        assert_eq!(PluginId::from_package("commands-general").short(), "general");
    }
}
