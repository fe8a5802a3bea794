//! The collector of the services that a plugin offers.

use std::sync::Arc;

use semver::Version;

use crate::Data;
use crate::services::Offer;

/// Collects the services that a plugin offers.
pub struct Services {
    data: Data,
    offers: Vec<Offer>,
    problems: Vec<String>,
}

impl Services {
    pub(crate) fn new(data: Data) -> Self {
        Self { data, offers: Vec::new(), problems: Vec::new() }
    }

    /// Offers `service` to all plugins: `offer.provide::<dyn Greeter>("greeter", "1.2.0", Arc::new(Polite))`.
    ///
    /// The version is the service's semver version. Other plugins declare which versions they accept.
    pub fn provide<T: ?Sized + Send + Sync + 'static>(&mut self, name: &str, version: &str, service: Arc<T>) {
        if let Err(error) = Version::parse(version) {
            self.problems
                .push(format!("service {name} is offered as '{version}', which is no version ({error})"));
        }
        if self.offers.iter().any(|offer| offer.name() == name) {
            self.problems.push(format!("service {name} is offered twice"));
        }
        self.offers.push(Offer::new(name, version, service));
    }

    /// Returns the generation's handle to the host, for services that use it.
    pub fn data(&self) -> &Data {
        &self.data
    }

    pub(crate) fn into_parts(self) -> (Vec<Offer>, Vec<String>) {
        (self.offers, self.problems)
    }
}
