//! Voice from outside: a bot's gateway, and a voice client of our own that does exactly what a test tells it.

mod anything;
mod audio;
mod client;
mod close_codes;
mod dave;
mod faults;
mod handshake;
mod packets;
mod people;
mod places;
mod resume;
mod songbird;
mod world;
