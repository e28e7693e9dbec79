-- +goose Up
-- Message templates. Written by package templates only.

CREATE TABLE template (
    name       text NOT NULL,
    version    int4 NOT NULL,
    source     text NOT NULL,                    -- the YAML as it was given
    actor      text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version)
);
COMMENT ON TABLE template IS 'Every version of every template; a run keeps the version that it was frozen with.';

-- +goose Down
DROP TABLE template;
