//! Services that plugins offer each other: a trait with a name and a version.
//!
//! # Theory of operation
//!
//! A plugin offers an `Arc<dyn Trait>` in [`Plugin::services`](crate::Plugin::services). The services of all live
//! generations are part of the snapshot, so they change in the same atomic store as everything else. Another plugin
//! names the service in its dependencies and asks for it when it needs it, with
//! [`Data::service`](crate::Data::service). A call in progress during a swap keeps the services of the snapshot on
//! which it began; later calls get the newest.
//!
//! # Why the cast is sound
//!
//! The snapshot holds services as [`Any`] and the consumer casts back to `Arc<dyn Trait>`. `TypeId` alone does not make
//! that sound. It is a hash of the type's path and of the *identity* of the crate that defines it: name, version,
//! features, the identities of its dependencies, the compiler. It does not cover the crate's *contents*. A crate that
//! plugins share is linked into each plugin's library separately. So after an edit of its trait, an old library and a
//! new one have the same `TypeId` for two traits with different vtables.
//!
//! So a generation also carries what its library was linked from ([`Linked`]): for every crate of the workspace of
//! which it holds a copy, a hash of the file passed to the linker, and for itself a value that no other library has. A
//! service is passed on only if provider and consumer agree on every crate that both link. Then:
//!
//! - The trait, and every type in its functions' signatures, comes from (a) the sdk or the standard library, (b) a
//!   registry, (c) a crate of the workspace that both link, or (d) a plugin's own crate.
//! - (a) is one shared library in this process. The sdk's fingerprint is compared when a plugin is loaded, and it
//!   covers the compiler and its options.
//! - (b) does not change within a version, and another version or feature set has another `TypeId`.
//! - (c) is the same file for both, so trait and types are the same, and so are their vtables and layouts.
//! - (d) is never passed between two libraries: their values differ, whether the consumer links the provider's crate or
//!   is a later generation of it.
//!
//! In a binary that links all plugins statically there is one copy of everything, and nothing to compare. Code of a
//! replaced provider stays mapped, so a [`Service`] that is held for long never dangles; it only becomes outdated.

use std::any::{Any, type_name};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::gate::Call;
use crate::{Dependency, PluginId};

mod linked;
mod modlog;

pub use linked::Linked;
pub use modlog::{MODLOG, ModLog};

/// One service of one generation.
#[derive(Clone, Debug)]
pub struct Offer {
    name: String,
    version: String,
    trait_name: &'static str,
    /// An `Arc<T>`, where `T` is the type it was offered as.
    service: Arc<dyn Any + Send + Sync>,
}

/// A service in use. Its provider is not stopped before this is dropped, or before the time for that is up.
///
/// Get it again for each call. One that is kept is outdated after a reload.
#[must_use]
pub struct Service<T: ?Sized> {
    service: Arc<T>,
    _call: Call,
}

/// Why a service is not available, in a sentence that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoService(pub(crate) String);

/// A plugin that asks for a service.
pub(crate) struct Asked<'a> {
    pub(crate) plugin: &'a PluginId,
    pub(crate) linked: &'a Linked,
    /// The dependency in which it names the service.
    pub(crate) dependency: &'a Dependency,
    /// Name of the service.
    pub(crate) name: &'a str,
}

/// A service that fits the plugin that asked for it.
pub(crate) struct Provided {
    pub(crate) provider: PluginId,
    pub(crate) offer: Offer,
    /// Counts the use as a call of the provider.
    pub(crate) call: Call,
}

/// Finds services among live generations.
pub(crate) trait ServiceDirectory: Send + Sync {
    /// Returns the service, if a generation offers it in an accepted version and from the same contents of crates.
    fn find(&self, asked: &Asked<'_>) -> Result<Provided, NoService>;
}

impl Offer {
    pub(crate) fn new<T: ?Sized + Send + Sync + 'static>(name: &str, version: &str, service: Arc<T>) -> Self {
        let (name, version) = (name.to_owned(), version.to_owned());
        Self { name, version, trait_name: type_name::<T>(), service: Arc::new(service) }
    }

    /// Returns the name of the service.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the trait's path, for messages.
    pub fn trait_name(&self) -> &'static str {
        self.trait_name
    }

    /// Returns the service if it was offered as a `T`. Sound only between libraries that agree according to [`Linked`].
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
