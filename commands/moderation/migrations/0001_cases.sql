CREATE TABLE moderation_counters (
    guild BIGINT PRIMARY KEY,
    last BIGINT NOT NULL
);

CREATE TABLE moderation_cases (
    guild BIGINT NOT NULL,
    number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    user_id BIGINT NOT NULL,
    user_name TEXT NOT NULL,
    moderator BIGINT NOT NULL,
    reason TEXT,
    evidence TEXT,
    quote TEXT,
    points BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    cause BIGINT,
    removed_by BIGINT,
    removed_at BIGINT,
    PRIMARY KEY (guild, number)
);

CREATE INDEX moderation_cases_of_user ON moderation_cases (guild, user_id, number);

CREATE TABLE moderation_edits (
    guild BIGINT NOT NULL,
    number BIGINT NOT NULL,
    edit BIGINT NOT NULL,
    edited_by BIGINT NOT NULL,
    edited_at BIGINT NOT NULL,
    old_reason TEXT,
    PRIMARY KEY (guild, number, edit)
);

CREATE TABLE moderation_temporary_bans (
    guild BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    number BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    PRIMARY KEY (guild, user_id)
);
