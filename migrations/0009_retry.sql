-- +goose Up
-- Runs that try some people of an earlier run again, and the guard against writing to somebody too often.

ALTER TABLE run ADD COLUMN parent_run int4 REFERENCES run (id); -- the first run, of which this one is a retry; the first has none
COMMENT ON COLUMN run.parent_run IS 'The run whose people this one tries again. A retry of a retry has the first run here, so a tree of runs has two levels.';
CREATE INDEX run_by_parent ON run (parent_run) WHERE parent_run IS NOT NULL;

-- contact_cap: others had written to her as often as the campaign's caps.per_contact allows.
ALTER TABLE skip DROP CONSTRAINT skip_reason;
ALTER TABLE skip ADD CONSTRAINT skip_reason CHECK (reason IN ('suppressed', 'cancelled', 'window', 'render', 'contact_cap'));

-- +goose Down
UPDATE skip SET reason = 'cancelled', detail = 'contact_cap' WHERE reason = 'contact_cap';
ALTER TABLE skip DROP CONSTRAINT skip_reason;
ALTER TABLE skip ADD CONSTRAINT skip_reason CHECK (reason IN ('suppressed', 'cancelled', 'window', 'render'));
DROP INDEX run_by_parent;
ALTER TABLE run DROP COLUMN parent_run;
