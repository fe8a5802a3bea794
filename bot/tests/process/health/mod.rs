//! Health, readiness and metrics from the side of an HTTP client: the binary itself, with a local Discord.

mod bot;
mod figures;
mod http;
mod openmetrics;
mod server;
mod standing;
mod words;
