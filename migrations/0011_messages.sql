-- +goose Up
-- Single messages that other systems ask for: each a run of one recipient. Written by package campaign only.

ALTER TABLE run DROP CONSTRAINT run_kind;
ALTER TABLE run ADD CONSTRAINT run_kind CHECK (kind IN ('campaign', 'test', 'message'));

-- All messages belong to one campaign that nobody can have made: the form of names has no space.
INSERT INTO campaign (name, source, state, actor)
VALUES ('single messages', '', 'launched', 'pukar');

CREATE SEQUENCE message_number AS int4; -- run.number of messages: a sequence keeps nobody waiting, and may leave gaps

CREATE TABLE message (
    key        text PRIMARY KEY CONSTRAINT message_key CHECK (length(key) BETWEEN 1 AND 100),
    digest     bytea NOT NULL,                   -- SHA-256 over what was asked for, with the keyed hash for the number
    run_id     int4 NOT NULL UNIQUE,
    category   text NOT NULL,                    -- of the template: the hours at which it may leave
    parts      int2 NOT NULL,
    expires_at timestamptz NOT NULL,             -- what has not left by then never does
    at         timestamptz NOT NULL
);
COMMENT ON TABLE message IS 'A message that another system asked for, by the key that it chose: the same key again is the same message. It is kept as long as its run.';
CREATE INDEX message_by_time ON message (at, run_id);

-- There may be very many runs of one recipient that only await a receipt. These keep them out of the way of the campaigns' runs,
-- and those that still have to leave out of the way of the others.
CREATE INDEX run_open_campaigns ON run (id) WHERE finished_at IS NULL AND kind <> 'message';
CREATE INDEX run_open_messages ON run (id) WHERE finished_at IS NULL AND kind = 'message';
CREATE INDEX run_messages_to_leave ON run (id) WHERE state = 'running' AND kind = 'message';
CREATE INDEX run_ended_early ON run (id) WHERE state IN ('cancelled', 'failed') AND receipts AND kind <> 'message';

-- +goose Down
DROP INDEX run_ended_early, run_messages_to_leave, run_open_messages, run_open_campaigns;
DROP TABLE message;
DROP SEQUENCE message_number;
DELETE FROM inbox WHERE run_id IN (SELECT id FROM run WHERE kind = 'message');
DELETE FROM receipt_match WHERE run_id IN (SELECT id FROM run WHERE kind = 'message');
DELETE FROM outcome WHERE run_id IN (SELECT id FROM run WHERE kind = 'message');
DELETE FROM redo WHERE run_id IN (SELECT id FROM run WHERE kind = 'message');
DELETE FROM skip WHERE run_id IN (SELECT id FROM run WHERE kind = 'message');
DELETE FROM submission WHERE run_id IN (SELECT id FROM run WHERE kind = 'message');
DELETE FROM stride WHERE run_id IN (SELECT id FROM run WHERE kind = 'message');
DELETE FROM batch WHERE run_id IN (SELECT id FROM run WHERE kind = 'message');
DELETE FROM recipient WHERE run_id IN (SELECT id FROM run WHERE kind = 'message');
DELETE FROM run WHERE kind = 'message';
DELETE FROM campaign WHERE name = 'single messages';
ALTER TABLE run DROP CONSTRAINT run_kind;
ALTER TABLE run ADD CONSTRAINT run_kind CHECK (kind IN ('campaign', 'test'));
