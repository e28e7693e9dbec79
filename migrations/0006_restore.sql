-- +goose Up
-- Data that is older than what was sent: a restored backup, a failover that lost commits.

CREATE TABLE restoration (
    id         int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    noticed_at timestamptz NOT NULL,
    found      text NOT NULL,                    -- by what it was noticed
    cleared_at timestamptz,
    cleared_by text,
    CONSTRAINT restoration_cleared CHECK ((cleared_at IS NULL) = (cleared_by IS NULL))
);
COMMENT ON TABLE restoration IS 'Every time that the data was found to be older than what was done with it. Nothing is launched or resumed while one is not cleared. Written by package campaign only.';
CREATE UNIQUE INDEX restoration_pending ON restoration ((cleared_at IS NULL)) WHERE cleared_at IS NULL;

ALTER TABLE run ADD COLUMN restoration int8 REFERENCES restoration (id); -- which paused it; it goes on when that is cleared

CREATE TABLE home_mark (
    home text PRIMARY KEY,                       -- names a PUKAR_HOME
    no   int8 NOT NULL,                          -- counts what that home committed here; its file never has a higher one than a sound database
    at   timestamptz NOT NULL
);
COMMENT ON TABLE home_mark IS 'The other half of the mark that each PUKAR_HOME keeps of this database. Written by package internal/mark only.';

-- +goose Down
DROP TABLE home_mark;
ALTER TABLE run DROP COLUMN restoration;
DROP TABLE restoration;
