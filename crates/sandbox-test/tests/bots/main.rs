//! Bots of serenity and poise, tested as their users would, and the crate itself.

mod itself;
mod poise_bot;
mod serenity_bot;
