-- Officers, as the referee needs them (R30). Its twin is migrations/sqlite/0002_officers.sql.
CREATE TABLE officer (
    unit TEXT NOT NULL,
    number BIGINT NOT NULL, -- in the unit, from 1; never used again
    role BIGINT NOT NULL, -- 0 investigator, 1 contact, 2 head, 3 legal officer, 4 magistrate, 5 mentor
    key BYTEA NOT NULL, -- the officer's Ed25519 key
    revoked BIGINT, -- entry from which the officer signs nothing more; NULL: in standing
    entry BIGINT NOT NULL, -- of the envelope that certified the officer
    certificate BYTEA NOT NULL, -- encoded, as the unit sent it: the name stands in it under a commitment only
    PRIMARY KEY (unit, number)
);
