//! The sandbox but for voice, from its clients' side. One program, because each program links everything:
//! `cargo test -p sandbox --test sandbox api::` runs one part.

mod api;
mod description;
mod edge;
mod gateway;
mod parity;
mod tls;
mod validate_openapi;
mod worlds;
