-- What the broker keeps room for: the sealed parcels of each pair (R34). Its twin is migrations/postgres/0005_parcels.sql.

-- A parcel from its sealing act on: all its parts may still come, and their sum for a pair is bounded.
CREATE TABLE parcel (
    handle BLOB NOT NULL REFERENCES case_file (handle),
    consent BLOB NOT NULL, -- names the parcel: one consent, one parcel
    low TEXT NOT NULL, -- the unit whose name sorts first
    high TEXT NOT NULL,
    parts INTEGER NOT NULL, -- as many as its act says, come or not
    until_ms INTEGER NOT NULL, -- until when its parts are kept; 0: it was recalled or deleted, or its case is at an end
    PRIMARY KEY (handle, consent)
) STRICT, WITHOUT ROWID;
CREATE INDEX parcel_of_pair ON parcel (low, high, until_ms);
