-- Processes of a bot that share its shards. Each renews its lease by raising the number.
CREATE TABLE hotcord_processes (
    application BIGINT NOT NULL,
    process BIGINT NOT NULL,
    renewals BIGINT NOT NULL,
    PRIMARY KEY (application, process)
);

-- Number of shards that all processes have agreed on.
CREATE TABLE hotcord_shard_count (
    application BIGINT PRIMARY KEY,
    total BIGINT NOT NULL
);

-- Shards with the process that has each of them, how often it has changed hands, and its session for a resume.
CREATE TABLE hotcord_shards (
    application BIGINT NOT NULL,
    shard BIGINT NOT NULL,
    process BIGINT,
    term BIGINT NOT NULL DEFAULT 0,
    session_id TEXT,
    sequence BIGINT,
    resume_url TEXT,
    PRIMARY KEY (application, shard)
);

-- The last IDENTIFY of each bucket (shard % max_concurrency). A pending one may not be sent yet.
CREATE TABLE hotcord_identifies (
    application BIGINT NOT NULL,
    bucket BIGINT NOT NULL,
    number BIGINT NOT NULL,
    pending BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (application, bucket)
);
