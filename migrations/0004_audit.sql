-- +goose Up
-- Who changed what: a chain of hashes from the first row. Written by package internal/auditlog only.

CREATE TABLE audit_event (
    id       int8 PRIMARY KEY,                   -- 1, 2, 3 … without gaps
    at       timestamptz NOT NULL,
    actor    text NOT NULL,
    action   text NOT NULL,                      -- campaign.launch, audience.import …
    subject  text NOT NULL,                      -- the name or key of what was changed
    before   jsonb,
    after    jsonb,
    previous bytea NOT NULL,                     -- hash of the row before; 32 zero bytes for the first
    hash     bytea NOT NULL
);
COMMENT ON TABLE audit_event IS 'Append-only; each row''s hash covers its content and the hash before it.';

CREATE TABLE instance (
    only_row  bool PRIMARY KEY DEFAULT true CONSTRAINT instance_only_row CHECK (only_row),
    key_check bytea NOT NULL                     -- HMAC of a constant: refuses a start with another installation's key
);
COMMENT ON TABLE instance IS 'Facts about this installation.';

-- +goose Down
DROP TABLE instance, audit_event;
