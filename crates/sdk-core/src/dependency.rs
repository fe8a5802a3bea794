//! What a plugin depends on: plugins by folder, services by name, each with a range of versions.

use std::fmt;

use semver::{Version, VersionReq};

use crate::PluginId;

/// A plugin or a service that a plugin needs, or uses if it is live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The plugin or service.
    pub on: On,
    /// Whether the dependent starts without it.
    pub optional: bool,
    range: Option<String>,
}

/// The target of a [`Dependency`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum On {
    /// A plugin, by its folder.
    Plugin(PluginId),
    /// A service, by its name, whichever plugin offers it.
    Service(String),
}

impl Dependency {
    /// Creates a dependency on a plugin that has to be live.
    pub fn required(plugin: &str) -> Self {
        Self { on: On::Plugin(PluginId::new(plugin)), optional: false, range: None }
    }

    /// Creates a dependency on a plugin that is used if it is live.
    pub fn optional(plugin: &str) -> Self {
        Self { optional: true, ..Self::required(plugin) }
    }

    /// Creates a dependency on a service that a live plugin has to offer in a version of `range`, for example `^1.2`.
    pub fn service(name: &str, range: &str) -> Self {
        Self { on: On::Service(name.to_owned()), optional: false, range: Some(range.to_owned()) }
    }

    /// Creates a dependency on a service that is used if a live plugin offers it in a version of `range`.
    pub fn optional_service(name: &str, range: &str) -> Self {
        Self { optional: true, ..Self::service(name, range) }
    }

    /// Sets the accepted range of versions, written as in Cargo.toml. Without it every version is accepted.
    #[must_use]
    pub fn version(mut self, range: &str) -> Self {
        self.range = Some(range.to_owned());
        self
    }

    /// Returns what is wrong with the range of versions, as a sentence.
    pub(crate) fn problem(&self) -> Option<String> {
        let error = self.parsed().err()?;
        let range = self.range.as_deref().unwrap_or_default();
        Some(format!("the versions '{range}' of {} are no semver range ({error})", self.named()))
    }

    /// Returns whether `version` is accepted.
    pub(crate) fn takes(&self, version: &str) -> bool {
        // An invalid range or version has already caused its generation to be refused.
        let (Ok(range), Ok(version)) = (self.parsed(), Version::parse(version)) else { return false };
        range.is_none_or(|range| range.matches(&version))
    }

    pub(crate) fn is_on_service(&self, service: &str) -> bool {
        matches!(&self.on, On::Service(name) if name == service)
    }

    fn parsed(&self) -> Result<Option<VersionReq>, semver::Error> {
        self.range.as_deref().map(VersionReq::parse).transpose()
    }

    fn named(&self) -> String {
        match &self.on {
            On::Plugin(plugin) => plugin.to_string(),
            On::Service(name) => format!("service {name}"),
        }
    }
}

/// Writes the dependency as it appears in a sentence: `service greeter ^1.2`, `commands/general`.
impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.named())?;
        self.range.as_ref().map_or(Ok(()), |range| write!(f, " {range}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_written_and_read_as_in_a_manifest() {
        for (range, version, fits) in [
            ("^1.2", "1.2.0", true),
            ("^1.2", "1.9.7", true),
            ("^1.2", "1.1.9", false),
            ("^1.2", "2.0.0", false),
            ("^0.1", "0.2.0", false),
            (">=1, <3", "2.5.0", true),
            ("*", "0.0.1", true),
            ("^^1", "1.0.0", false),
            ("1", "one", false),
        ] {
            assert_eq!(Dependency::service("s", range).takes(version), fits, "{range} {version}");
        }
        assert!(Dependency::required("commands/a").takes("7.0.0"));
        assert!(!Dependency::optional("commands/a").version("^0.1").takes("7.0.0"));
    }

    #[test]
    fn a_range_that_is_none_is_told() {
        assert_eq!(Dependency::required("commands/a").problem(), None);
        assert_eq!(Dependency::service("s", "^1.2").problem(), None);
        let told = Dependency::service("greeter", "newest").problem().unwrap();
        assert!(told.starts_with("the versions 'newest' of service greeter are no semver range ("), "{told}");
    }

    #[test]
    fn it_reads_well_in_a_sentence() {
        assert_eq!(Dependency::required("commands/a").version("^0.1").to_string(), "commands/a ^0.1");
        assert_eq!(Dependency::optional_service("greeter", "^1").to_string(), "service greeter ^1");
    }
}
