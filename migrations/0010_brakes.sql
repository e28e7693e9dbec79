-- +goose Up
-- Brakes: a stop for everything, and budgets.

CREATE TABLE stop_all (
    id        int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reason    text NOT NULL CONSTRAINT stop_all_reason CHECK (reason <> ''),
    actor     text NOT NULL,
    at        timestamptz NOT NULL,
    paused_at timestamptz,                       -- when the runs were paused; from at on nothing is opened in any case
    lifted_at timestamptz,
    lifted_by text,
    CONSTRAINT stop_all_lifted CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);
COMMENT ON TABLE stop_all IS 'Every time that somebody stopped everything. While one is not lifted no stride is opened and nothing is launched or resumed. Written by package campaign only.';
CREATE UNIQUE INDEX stop_all_in_force ON stop_all ((lifted_at IS NULL)) WHERE lifted_at IS NULL;

ALTER TABLE run ADD COLUMN stop_all int8 REFERENCES stop_all (id); -- which paused it; it goes on when that is lifted
ALTER TABLE run ADD COLUMN resumed_at timestamptz;                 -- when it was last resumed: the breaker starts afresh

CREATE TABLE budget (
    campaign_id int4 PRIMARY KEY REFERENCES campaign (id),
    budget_inr  numeric(18, 6) NOT NULL CONSTRAINT budget_positive CHECK (budget_inr > 0),
    spent_inr   numeric(18, 6) NOT NULL DEFAULT 0, -- parts accepted, and parts that may have left
    held_inr    numeric(18, 6) NOT NULL DEFAULT 0, -- reserved by strides that are open
    raised      bool NOT NULL DEFAULT false,       -- by a person: the campaign file counts no more
    CONSTRAINT budget_held CHECK (held_inr >= 0),
    CONSTRAINT budget_kept CHECK (spent_inr + held_inr <= budget_inr)
) WITH (fillfactor = 50);
COMMENT ON TABLE budget IS 'What a campaign may spend and has spent, over all its runs. Only campaigns with caps.budget_inr have a row. Written by package campaign only.';

ALTER TABLE stride ADD COLUMN held_inr numeric(18, 6); -- what it reserved of its campaign's budget; NULL without one

-- +goose Down
ALTER TABLE stride DROP COLUMN held_inr;
DROP TABLE budget;
ALTER TABLE run DROP COLUMN resumed_at;
ALTER TABLE run DROP COLUMN stop_all;
DROP TABLE stop_all;
