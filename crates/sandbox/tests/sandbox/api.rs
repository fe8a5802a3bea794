//! The sandbox from outside: a bot with nothing but HTTP and a websocket, and users at the control API.
//!
//! Every answer of REST in a test is checked against Discord's own description of its API if the machine has it
//! (`DISCORD_OPENAPI`, or `shared/discord/openapi.json` above the workspace).

mod addresses;
mod anything;
pub(crate) mod applications;
mod audit_log;
mod auto_moderation;
pub(crate) mod bot;
mod changes;
pub(crate) mod cli;
mod cli_guild;
mod clock;
mod commands;
mod community;
mod components;
mod errors;
pub(crate) mod expressions;
mod following;
mod forums;
mod guilds;
mod hidden;
mod http_bot;
mod http_endpoints;
mod http_interactions;
mod installs;
mod integrations;
mod interactions;
mod intruders;
mod invites;
mod linked_lobbies;
mod load;
mod lobbies;
mod messages;
mod modals;
mod moderation;
mod openapi;
pub(crate) mod page;
mod partner;
mod people;
mod perks;
mod polls;
mod privileged;
mod scheduled_events;
mod search;
mod servers;
mod soundboard;
mod stages;
mod store;
mod stream;
mod templates;
mod terminal;
mod threads;
mod uploads;
mod webhook_events;
mod widget;
mod wrong_bodies;
