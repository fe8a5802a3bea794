//! Health, readiness and metrics as whoever asks over HTTP sees them: the binary itself, against a local Discord.

mod bot;
mod figures;
mod http;
mod openmetrics;
mod server;
mod standing;
mod words;
