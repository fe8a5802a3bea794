//! Rate limits of the REST interface, by Discord's documentation: buckets by route, a global limit, headers and 429s.

mod config;
mod edge;
mod limits;
mod route;

pub use self::config::{BucketRule, Config};
pub use self::edge::{Edge, Extra};
pub use self::limits::{BucketState, Limits, Refusal, Scope, Verdict};
pub use self::route::Route;
