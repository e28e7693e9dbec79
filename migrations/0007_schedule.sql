-- +goose Up
-- Campaigns that fire by themselves. Written by package campaign only.

ALTER TABLE campaign
    DROP CONSTRAINT campaign_state,
    ADD CONSTRAINT campaign_state CHECK (state IN ('draft', 'submitted', 'approved', 'scheduled', 'launched'));

CREATE TABLE schedule (
    campaign_id  int4 PRIMARY KEY REFERENCES campaign (id),
    cron         text NOT NULL DEFAULT '',        -- five fields, or '' where at is given
    at           text NOT NULL DEFAULT '',        -- 2026-12-01T10:30 by the clocks of zone, or '' where cron is given
    zone         text NOT NULL,                   -- a name of the time zone database
    from_day     date,                            -- whole days in zone, both inclusive; null: no bound
    until_day    date,
    catch_up     text NOT NULL CONSTRAINT schedule_catch_up CHECK (catch_up IN ('skip', 'once')),
    overlap      text NOT NULL CONSTRAINT schedule_overlap CHECK (overlap IN ('skip', 'queue')),
    next_at      timestamptz,                     -- the first due time that nothing was decided about; null once it is over
    recipients   int8 NOT NULL,                   -- by the plan of the scheduling, then of each firing
    parts        int8 NOT NULL,
    actor        text NOT NULL,                   -- who put it in force
    scheduled_at timestamptz NOT NULL,
    CONSTRAINT schedule_once_or_cron CHECK ((cron = '') <> (at = ''))
);
COMMENT ON TABLE schedule IS 'When a campaign fires: one for each campaign that was ever scheduled, in force while next_at is set or a firing is queued.';
CREATE INDEX schedule_due ON schedule (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE firing (
    campaign_id int4 NOT NULL REFERENCES campaign (id),
    due_at      timestamptz NOT NULL,
    last_due_at timestamptz NOT NULL,             -- later than due_at where the row stands for a span of missed due times
    times       int4 NOT NULL,                    -- how many due times that span has, counted up to 10,000
    state       text NOT NULL CONSTRAINT firing_state CHECK (state IN ('fired', 'skipped', 'failed', 'queued')),
    reason      text NOT NULL DEFAULT '',         -- why it was skipped, failed or queued
    run_id      int4 REFERENCES run (id),
    actor       text NOT NULL,                    -- who had put the schedule in force
    decided_at  timestamptz NOT NULL,
    PRIMARY KEY (campaign_id, due_at),
    CONSTRAINT firing_run CHECK ((run_id IS NOT NULL) = (state = 'fired')),
    CONSTRAINT firing_span CHECK (last_due_at >= due_at AND times >= 1)
);
COMMENT ON TABLE firing IS 'What became of each due time of a schedule. The row, the step of schedule.next_at and the run are one transaction: a due time fires at most once.';
CREATE UNIQUE INDEX firing_queued ON firing (campaign_id) WHERE state = 'queued';
CREATE INDEX firing_by_time ON firing (due_at);

-- +goose Down
DROP TABLE firing, schedule;
UPDATE campaign c
SET state = CASE WHEN EXISTS (SELECT 1 FROM run WHERE campaign_id = c.id AND kind = 'campaign') THEN 'launched'
                 WHEN approved_by IS NOT NULL THEN 'approved'
                 WHEN submitted_by IS NOT NULL THEN 'submitted'
                 ELSE 'draft' END
WHERE state = 'scheduled';
ALTER TABLE campaign
    DROP CONSTRAINT campaign_state,
    ADD CONSTRAINT campaign_state CHECK (state IN ('draft', 'submitted', 'approved', 'launched'));
