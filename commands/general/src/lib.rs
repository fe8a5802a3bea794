//! Everyday commands.

use sdk::prelude::*;

mod ping;

struct General;

impl Plugin for General {
    fn commands(&self) -> Vec<Command> {
        vec![ping::ping()]
    }
}

sdk::export!(General);
