-- +goose Up
-- Who can be contacted, where home is, and who said stop. Written by package audience only.

CREATE TABLE place_state (
    code         int2 PRIMARY KEY,              -- LGD state code
    abbreviation text NOT NULL UNIQUE,          -- BR, UP, JH …
    name_en      text NOT NULL,
    name_hi      text NOT NULL DEFAULT ''
);
COMMENT ON TABLE place_state IS 'The 36 states and union territories of the Local Government Directory; loaded by audience.LoadPlaces from its embedded table.';

CREATE TABLE place_district (
    code    int4 PRIMARY KEY,                   -- LGD district code
    state   int2 NOT NULL REFERENCES place_state (code),
    name_en text NOT NULL,
    name_hi text NOT NULL DEFAULT ''
);
COMMENT ON TABLE place_district IS 'The districts of the Local Government Directory; loaded by audience.LoadPlaces from its embedded table.';
CREATE INDEX place_district_by_state ON place_district (state);

CREATE TABLE contact (
    id                    int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    identity              uuid NOT NULL UNIQUE,  -- who this is across imports, computed by audience
    msisdn                int8 NOT NULL,         -- digits of E.164, 919812345678
    msisdn_key            int8 NOT NULL,         -- keyed hash of the number; see audience.NumberKey
    name                  text,
    language              text,                  -- ISO 639-1 or -3: hi, en, bn, or, bho …
    gender                text,                  -- male | female | other
    birth_year            int2,
    age                   int2,                  -- completed years on age_on
    age_on                date,
    occupation            text,
    income_monthly        int4,                  -- rupees a month
    home_state            int2,                  -- place_state.code; the import resolves it, see the comment on the table
    home_district         int4,                  -- place_district.code
    home_village          text,
    home_ward             text,
    home_post_office      text,
    home_pincode          text,
    current_state         int2,
    current_district      int4,
    eshram_uan            text,
    bocw_id               text,
    ration_card           text,
    ration_card_type      text,                  -- PHH | AAY | other
    job_card              text,
    aadhaar_seeded        bool,
    bank_account          bool,
    unorganised_worker    bool,
    construction_days_12m int2,
    epfo_member           bool,
    esic_member           bool,
    nps_member            bool,
    government_employee   bool,
    income_tax_payer      bool,
    welfare_fund_member   bool,
    consent_sms           bool,
    consent_call          bool,
    source                text NOT NULL,
    source_id             text,
    import_id             int8 NOT NULL,
    invented              bool NOT NULL DEFAULT false, -- made by the demo: may only go to routes marked simulated
    attributes            jsonb NOT NULL DEFAULT '{}',
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE contact IS 'A person of the register. NULL means unknown, never a default. Places have no foreign keys: they are written from the embedded table only, and the keys would cost two thirds of an import.';
CREATE INDEX contact_by_number ON contact (msisdn);
CREATE INDEX contact_by_home ON contact (home_state, home_district);

CREATE TABLE import (
    id          int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text NOT NULL,
    file_name   text NOT NULL,
    file_sha256 text NOT NULL DEFAULT '',
    actor       text NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    rows_read   int8 NOT NULL DEFAULT 0,
    inserted    int8 NOT NULL DEFAULT 0,
    updated     int8 NOT NULL DEFAULT 0,
    unchanged   int8 NOT NULL DEFAULT 0,
    refused     int8 NOT NULL DEFAULT 0
);
COMMENT ON TABLE import IS 'One file read into the register; a row of contact names the import that last changed it.';

CREATE TABLE suppression (
    id         int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    msisdn_key int8 NOT NULL,
    msisdn     int8,                             -- NULL once the person is erased
    scope      text NOT NULL CONSTRAINT suppression_scope CHECK (scope IN ('all', 'sms', 'call')),
    purpose    text NOT NULL DEFAULT '',         -- '' is every purpose
    source     text NOT NULL CONSTRAINT suppression_source CHECK (source IN ('keyword', 'missed_call', 'ivr', 'agent', 'import', 'complaint', 'operator')),
    evidence   text NOT NULL DEFAULT '',
    actor      text NOT NULL,
    added_at   timestamptz NOT NULL DEFAULT now(),
    lifted_at  timestamptz,
    lifted_by  text,
    lifted_why text,
    CONSTRAINT suppression_lifted CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);
COMMENT ON TABLE suppression IS 'Who said stop: one list for messages and calls. A row is in force while lifted_at is NULL; rows are never deleted.';
-- One for each source: what a person takes back herself must not take back a complaint or a list with it.
CREATE UNIQUE INDEX suppression_in_force ON suppression (msisdn_key, scope, purpose, source) WHERE lifted_at IS NULL;

-- +goose Down
DROP TABLE suppression, import, contact, place_district, place_state;
