//! The gateway between the sandbox and its hosts: serenity's client, and plain websockets where a test looks closer.

mod faults;
mod hosts;
mod rig;
mod serenity_host;
