//! The sandbox from outside: a bot with nothing but HTTP and a websocket, and users at the control API.
//!
//! Every answer of REST in a test is checked against Discord's own description of its API if the machine has it
//! (`DISCORD_OPENAPI`, or `shared/discord/openapi.json` above the workspace).

mod addresses;
mod applications;
mod audit_log;
pub(crate) mod bot;
mod cli;
mod commands;
mod components;
mod errors;
pub(crate) mod expressions;
mod following;
mod forums;
mod guilds;
mod integrations;
mod interactions;
mod intruders;
mod load;
mod messages;
mod modals;
mod openapi;
mod people;
mod soundboard;
mod store;
mod terminal;
mod threads;
mod uploads;
