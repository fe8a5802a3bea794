//! bot
fn main(){ #[cfg(feature="plugins")] for p in commands::PLUGINS.iter().chain(events::PLUGINS) { println!("{p:?}"); } println!("{}", sdk::FINGERPRINT); }
