-- Guilds that the bot has left, until what is kept about them is erased.
CREATE TABLE hotcord_left_guilds (
    guild BIGINT PRIMARY KEY,
    left_ms BIGINT NOT NULL
);
