CREATE TABLE moderation_locks (
    channel BIGINT PRIMARY KEY,
    guild BIGINT NOT NULL,
    allowed TEXT,
    denied TEXT
);
