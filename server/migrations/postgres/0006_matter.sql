-- Sealed matter of cases that have ended is destroyed (R31). Its twin is migrations/sqlite/0006_matter.sql.

-- Acts whose sealed matter is here.
CREATE TABLE case_act (
    entry BIGINT PRIMARY KEY, -- of the act's envelope
    handle BYTEA NOT NULL REFERENCES case_file (handle)
);
CREATE INDEX case_act_of ON case_act (handle);

-- What is left of rows that were destroyed while their envelope is still to be verified: the hashes of their frames.
ALTER TABLE envelope ADD COLUMN frames BYTEA;
