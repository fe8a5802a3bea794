//! From what Discord's gateway sends about voice to what the driver connects with.
