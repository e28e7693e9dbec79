-- +goose Up
-- Windows that hold to the handset, and runs that end with their window.

ALTER TABLE run DROP CONSTRAINT run_state;
ALTER TABLE run ADD CONSTRAINT run_state CHECK (state IN
    ('running', 'pausing', 'paused', 'settling', 'done', 'ending', 'cancelling', 'cancelled', 'failed'));

CREATE TABLE route_drain (
    route       text PRIMARY KEY,
    median      interval NOT NULL,               -- from the centre's response to the receipt that says delivered
    samples     int8 NOT NULL CONSTRAINT route_drain_samples CHECK (samples > 0), -- receipts it is the median of, the older ones counted less
    measured_at timestamptz NOT NULL
);
COMMENT ON TABLE route_drain IS 'How long each route took of late to bring a message to the handset: by so much submission stops before a window closes. Written by package campaign only.';

-- +goose Down
DROP TABLE route_drain;
UPDATE run SET state = 'cancelling' WHERE state = 'ending'; -- the rest is skipped either way
ALTER TABLE run DROP CONSTRAINT run_state;
ALTER TABLE run ADD CONSTRAINT run_state CHECK (state IN
    ('running', 'pausing', 'paused', 'settling', 'done', 'cancelling', 'cancelled', 'failed'));
