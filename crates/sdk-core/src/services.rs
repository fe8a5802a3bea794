//! What plugins offer each other: a trait under a name and a version.
//!
//! # Theory of operation
//!
//! A plugin offers an `Arc<dyn Trait>` in [`Plugin::services`](crate::Plugin::services). The services of all live
//! generations are part of the snapshot, so they change in the same atomic store as everything else. Another plugin
//! names the service in its dependencies and asks for it when it needs it, with
//! [`Data::service`](crate::Data::service). A call that a swap finds under way goes on with the services of the
//! snapshot that it began on; everything later gets the newest.
//!
//! # Why the cast is sound
//!
//! The snapshot holds services as [`Any`] and the consumer casts back to `Arc<dyn Trait>`. `TypeId` alone does not
//! make that sound. It is a hash of the type's path and of the *identity* of the crate that defines it: name, version,
//! features, the identities of its dependencies, the compiler. It does not cover the crate's *contents*. A crate that
//! plugins share is linked into each plugin's library anew, so after an edit of its trait an old library and a new one
//! have the same `TypeId` for two traits whose tables of functions differ.
//!
//! So a generation also carries what its library was linked from ([`Linked`]): for every crate of the workspace that
//! it holds a copy of, a hash of the very file that the linker was given, and for itself a value that no other library
//! has. A service is handed over only when provider and consumer agree on every crate that both link.
//! Then:
//!
//! - The trait, and every type that its functions name, comes from (a) the sdk or the standard library, (b) a
//!   registry, (c) a crate of the workspace that both link, or (d) a plugin's own crate.
//! - (a) is one shared library in this process, and the sdk's fingerprint has been compared on loading, which also
//!   stands for the compiler and its options.
//! - (b) does not change under one version, and another version or feature set has another `TypeId`.
//! - (c) is the same file for both, so trait and types are the same, and so are their tables and layouts.
//! - (d) is never handed over between two libraries: their values differ, whether the consumer links the provider's
//!   crate or is a later generation of it.
//!
//! In a binary that links all plugins statically there is one copy of everything, and nothing to compare. Code of a
//! provider that has been replaced stays mapped, so a [`Service`] that is held for long never dangles; it is merely old.

use std::any::{Any, type_name};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use semver::Version;

use crate::Data;
use crate::gate::Call;

mod linked;
mod modlog;

pub use linked::Linked;
pub use modlog::{MODLOG, ModLog};

/// Collects the services that a plugin offers.
pub struct Services {
    data: Data,
    offers: Vec<Offer>,
    problems: Vec<String>,
}

/// One service of one generation.
#[derive(Debug)]
pub struct Offer {
    name: String,
    version: String,
    trait_name: &'static str,
    /// An `Arc<T>` of the `T` that it was offered as.
    service: Box<dyn Any + Send + Sync>,
}

/// A service in use; its provider is not stopped before it is dropped, or before the time for that is up.
///
/// Take it for one call. One that is kept is the old one after a reload.
#[must_use]
pub struct Service<T: ?Sized> {
    service: Arc<T>,
    _call: Call,
}

/// Why a service cannot be had, in a sentence that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoService(pub(crate) String);

impl Services {
    pub(crate) fn new(data: Data) -> Self {
        Self { data, offers: Vec::new(), problems: Vec::new() }
    }

    /// Offers `service` to all plugins: `offer.provide::<dyn Greeter>("greeter", "1.2.0", Arc::new(Polite))`.
    ///
    /// The version is that of the service, as semver has it: other plugins say which they take.
    pub fn provide<T: ?Sized + Send + Sync + 'static>(&mut self, name: &str, version: &str, service: Arc<T>) {
        self.add(name, version, type_name::<T>(), Box::new(service));
    }

    fn add(
        &mut self,
        name: &str,
        version: &str,
        trait_name: &'static str,
        service: Box<dyn Any + Send + Sync>,
    ) {
        if let Err(error) = Version::parse(version) {
            self.problems
                .push(format!("service {name} is offered as '{version}', which is no version ({error})"));
        }
        if self.offers.iter().any(|offer| offer.name == name) {
            self.problems.push(format!("service {name} is offered twice"));
        }
        self.offers.push(Offer { name: name.to_owned(), version: version.to_owned(), trait_name, service });
    }

    /// Gives the generation's handle to the host, for services that use it.
    pub fn data(&self) -> &Data {
        &self.data
    }

    pub(crate) fn into_parts(self) -> (Vec<Offer>, Vec<String>) {
        (self.offers, self.problems)
    }
}

impl Offer {
    /// Gives the name that other plugins ask for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives its version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Gives the trait's path, for messages.
    pub fn trait_name(&self) -> &'static str {
        self.trait_name
    }

    /// Gives the service, if it was offered as a `T`; sound only between libraries that [`Linked`] lets agree.
    pub(crate) fn cast<T: ?Sized + 'static>(&self) -> Option<Arc<T>> {
        self.service.downcast_ref::<Arc<T>>().cloned()
    }
}

impl<T: ?Sized> Service<T> {
    pub(crate) fn new(service: Arc<T>, call: Call) -> Self {
        Self { service, _call: call }
    }
}

impl<T: ?Sized> Deref for Service<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.service
    }
}

impl<T: ?Sized> fmt::Debug for Service<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Service<{}>", type_name::<T>())
    }
}

impl fmt::Display for NoService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoService {}
