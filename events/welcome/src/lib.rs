//! To be written.

use sdk::prelude::*;

struct Empty;

impl Plugin for Empty {}

sdk::export!(Empty);
