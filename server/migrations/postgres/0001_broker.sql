-- The broker's whole store on PostgreSQL. Its twin is migrations/sqlite/0001_broker.sql: the same names, the same
-- columns. Migrations only grow: a new one is added, an old one is never changed.

-- Settings that were fixed when the broker was founded.
CREATE TABLE setting (
    name TEXT PRIMARY KEY, -- federation, broker
    value TEXT NOT NULL
);

-- Counters that only grow.
CREATE TABLE counter (
    name TEXT PRIMARY KEY, -- roster, accord: versions by which other processes see a change; open-tick: the first tick that is not closed yet
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('roster', 0), ('accord', 0), ('open-tick', 0);

-- Who may speak.
CREATE TABLE unit (
    name TEXT PRIMARY KEY,
    entry BYTEA NOT NULL, -- its latest roster entry, encoded
    signing BYTEA NOT NULL, -- its Ed25519 key
    standing BIGINT NOT NULL, -- 0 admitted, 1 suspended, 2 left
    certificate BYTEA NOT NULL UNIQUE, -- SHA-256 of its TLS client certificate
    mailbox BIGINT NOT NULL DEFAULT 0 -- the last position in its mailbox
);

-- The last envelope of each sender, the broker included (R23).
CREATE TABLE chain (
    party TEXT PRIMARY KEY,
    sequence BIGINT NOT NULL,
    previous BYTEA NOT NULL -- hash of that envelope
);

-- Invites and what came of them (R6).
CREATE TABLE invite (
    token_hash BYTEA PRIMARY KEY, -- SHA-256; the token itself is never stored
    unit TEXT NOT NULL,
    expires_ms BIGINT NOT NULL
);
CREATE TABLE joining (
    token_hash BYTEA PRIMARY KEY REFERENCES invite (token_hash),
    unit TEXT NOT NULL,
    entry BYTEA NOT NULL, -- the roster entry that the unit signed
    request BYTEA NOT NULL, -- its certificate request
    certificate BYTEA -- once admitted
);

-- The log (R26): nodes of complete subtrees, and the right edge.
CREATE TABLE log_head (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    size BIGINT NOT NULL,
    frontier BYTEA NOT NULL,
    root BYTEA NOT NULL
);
INSERT INTO log_head (id, size, frontier, root) VALUES
    (1, 0, '\x0000000000000000', '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
CREATE TABLE log_node (
    level BIGINT NOT NULL, -- 0: leaves
    idx BIGINT NOT NULL, -- from 0 at the left
    hash BYTEA NOT NULL,
    PRIMARY KEY (level, idx)
);
CREATE TABLE checkpoint (
    size BIGINT PRIMARY KEY,
    root BYTEA NOT NULL,
    note TEXT NOT NULL, -- text and the log's signature
    at_ms BIGINT NOT NULL
);
CREATE TABLE cosignature (
    size BIGINT NOT NULL REFERENCES checkpoint (size),
    unit TEXT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (size, unit)
);

-- Bodies in frames: staged by their sender, then owned by the envelope that was accepted with them (R24).
CREATE TABLE body (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner TEXT NOT NULL, -- who uploads, or '@broker'
    root BYTEA NOT NULL, -- of the whole body, head included
    rows_len BIGINT NOT NULL,
    accepted BIGINT NOT NULL DEFAULT 0, -- 1: an envelope owns it
    touched_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX body_staged ON body (owner, root) WHERE accepted = 0;
CREATE TABLE frame (
    body BIGINT NOT NULL REFERENCES body (id) ON DELETE CASCADE,
    idx BIGINT NOT NULL, -- from 0
    bytes BYTEA NOT NULL,
    hash BYTEA NOT NULL, -- of the part, for the body's root
    PRIMARY KEY (body, idx)
);

-- Accepted envelopes (R25).
CREATE TABLE envelope (
    entry BIGINT PRIMARY KEY, -- index in the log
    hash BYTEA NOT NULL UNIQUE,
    sender TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    receiver TEXT NOT NULL,
    kind TEXT NOT NULL,
    epoch BIGINT NOT NULL, -- 0: belongs to none
    bytes BYTEA NOT NULL, -- as signed
    head BYTEA NOT NULL,
    rows BYTEA, -- up to 65,536 bytes; NULL: in frames, or destroyed with its epoch
    rows_len BIGINT NOT NULL,
    body BIGINT, -- id; NULL: rows stand here, or are destroyed with their epoch
    UNIQUE (sender, sequence)
);
CREATE INDEX envelope_to_all ON envelope (entry) WHERE receiver = '@all';
CREATE INDEX envelope_epoch ON envelope (epoch) WHERE epoch > 0;
CREATE TABLE mailbox (
    unit TEXT NOT NULL,
    position BIGINT NOT NULL, -- from 1
    entry BIGINT NOT NULL REFERENCES envelope (entry),
    PRIMARY KEY (unit, position),
    UNIQUE (unit, entry)
);

-- Another envelope under a number that was taken: refused, and kept (R24).
CREATE TABLE evidence (
    unit TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (unit, sequence)
);

-- Accords, in the order of the log.
CREATE TABLE accord (
    hash BYTEA PRIMARY KEY,
    start_epoch BIGINT NOT NULL,
    start_tick BIGINT NOT NULL,
    start_ms BIGINT NOT NULL,
    text TEXT NOT NULL,
    proposed BIGINT NOT NULL, -- its entry in the log
    needed TEXT NOT NULL, -- who was a member then, separated by spaces
    complete BIGINT -- size of the log when it became complete; NULL: not yet
);
CREATE TABLE accord_signature (
    accord BYTEA NOT NULL REFERENCES accord (hash),
    unit TEXT NOT NULL,
    entry BIGINT NOT NULL,
    PRIMARY KEY (accord, unit)
);
CREATE TABLE closed_epoch (
    epoch BIGINT PRIMARY KEY,
    entry BIGINT NOT NULL -- of the envelope that closed it
);

-- Comparing (R15 to R18). Everything here goes when its epoch closes.
CREATE TABLE pair_epoch (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    low TEXT NOT NULL, -- the unit whose name sorts first
    high TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    low_tick BIGINT, -- tick of the side's last tag set; NULL: not open yet
    high_tick BIGINT,
    cut BIGINT NOT NULL DEFAULT 0, -- size of the log at the last cut
    pending BIGINT NOT NULL DEFAULT 0, -- 1: tag sets came since
    UNIQUE (low, high, epoch)
);
CREATE INDEX pair_epoch_pending ON pair_epoch (id) WHERE pending = 1;
CREATE TABLE tag_set (
    entry BIGINT PRIMARY KEY, -- of its envelope
    pair_epoch BIGINT NOT NULL REFERENCES pair_epoch (id),
    side BIGINT NOT NULL, -- 0 low, 1 high
    hash BYTEA NOT NULL -- of its envelope
);
CREATE INDEX tag_set_of ON tag_set (pair_epoch, entry);
CREATE TABLE leaf (
    pair_epoch BIGINT NOT NULL,
    tag BYTEA NOT NULL,
    side BIGINT NOT NULL,
    confirmation BYTEA NOT NULL,
    added BIGINT NOT NULL, -- entry of the tag set that added it
    PRIMARY KEY (pair_epoch, tag, side)
);
-- Leaves that came since a cut. On an expression, so that no planner takes it for a look-up by tag.
CREATE INDEX leaf_added ON leaf ((pair_epoch * 2 + side), added);
CREATE TABLE cut (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pair_epoch BIGINT NOT NULL REFERENCES pair_epoch (id),
    position BIGINT NOT NULL, -- size of the log
    digest BYTEA NOT NULL UNIQUE,
    matches BIGINT NOT NULL,
    low_notice BIGINT NOT NULL, -- entries
    high_notice BIGINT NOT NULL,
    low_acknowledgement BIGINT, -- entries; both are delivered once both are there
    high_acknowledgement BIGINT
);
CREATE INDEX cut_of ON cut (pair_epoch);
CREATE TABLE cut_match (
    pair_epoch BIGINT NOT NULL,
    position BIGINT NOT NULL, -- of its cut
    tag BYTEA NOT NULL,
    low BYTEA NOT NULL, -- confirmations
    high BYTEA NOT NULL,
    low_added BIGINT NOT NULL, -- entries of the tag sets that hold the leaves (evidence, R17)
    high_added BIGINT NOT NULL,
    PRIMARY KEY (pair_epoch, position, tag)
);
