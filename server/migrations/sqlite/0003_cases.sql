-- Cases, which the broker referees by their handles (R31, R33), and the parts of parcels that it carries. Its twin is
-- migrations/postgres/0003_cases.sql.

-- What became of each overlap on which an officer has acted: the public part, and nothing else (R1, R2).
CREATE TABLE case_file (
    handle BLOB PRIMARY KEY, -- of the overlap
    low TEXT NOT NULL, -- the unit whose name sorts first
    high TEXT NOT NULL,
    accord BLOB NOT NULL REFERENCES accord (hash), -- whose manual rules the case
    state BLOB NOT NULL, -- the case as the engine folded it, encoded
    round INTEGER NOT NULL, -- how often its state has changed
    deadline_ms INTEGER -- when its state's limit passes; NULL: the case is at an end
) STRICT;
CREATE INDEX case_file_due ON case_file (deadline_ms) WHERE deadline_ms IS NOT NULL;

-- Parts of sealed parcels that were accepted. Their bytes are the rows of their envelopes.
CREATE TABLE parcel_part (
    handle BLOB NOT NULL REFERENCES case_file (handle),
    consent BLOB NOT NULL, -- names the parcel: one consent, one parcel; a package can be sealed again
    idx INTEGER NOT NULL, -- from 0
    hash BLOB NOT NULL, -- root over the rows, for the parcel's root
    entry INTEGER NOT NULL UNIQUE, -- of its envelope
    until_ms INTEGER, -- when the bytes are destroyed; NULL: they are
    PRIMARY KEY (handle, consent, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX parcel_part_due ON parcel_part (until_ms) WHERE until_ms IS NOT NULL;
