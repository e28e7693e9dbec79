-- +goose Up
-- What other systems sent us once and may send again. Written by package web only.

CREATE TABLE request_key (
    kind   text NOT NULL,                        -- inbound
    key    text NOT NULL,                        -- the caller's own identifier of the request
    at     timestamptz NOT NULL,
    answer jsonb NOT NULL,
    PRIMARY KEY (kind, key)
);
COMMENT ON TABLE request_key IS 'Answers by the caller''s identifier, so that a request that is sent again changes nothing; dropped after 30 days.';
CREATE INDEX request_key_by_time ON request_key (at);

-- +goose Down
DROP TABLE request_key;
