-- What the bot remembers, by application: values, plugins' states and snapshots, players.
CREATE TABLE hotcord_state (
    application BIGINT NOT NULL,
    area TEXT NOT NULL,
    plugin TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (application, area, plugin, key)
);

-- Timers that are set. A row with an owner is being run by that process, whose lease it renews.
CREATE TABLE hotcord_timers (
    application BIGINT NOT NULL,
    plugin TEXT NOT NULL,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    id BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    payload TEXT NOT NULL,
    owner BIGINT,
    lease_ms BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (application, plugin, name, key)
);
CREATE INDEX hotcord_timers_due ON hotcord_timers (application, at_ms);
