//! What a closed voice connection means, as a table, and how often the bot tries to come back.
