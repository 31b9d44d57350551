-- The broker's whole store on SQLite. Its twin is migrations/postgres/0001_broker.sql: the same names, the same
-- columns. Migrations only grow: a new one is added, an old one is never changed.

-- Settings that were fixed when the broker was founded.
CREATE TABLE setting (
    name TEXT PRIMARY KEY, -- federation, broker
    value TEXT NOT NULL
) STRICT;

-- Counters that only grow.
CREATE TABLE counter (
    name TEXT PRIMARY KEY, -- roster, accord: versions by which other processes see a change; open-tick: the first tick that is not closed yet
    value INTEGER NOT NULL
) STRICT;
INSERT INTO counter (name, value) VALUES ('roster', 0), ('accord', 0), ('open-tick', 0);

-- Who may speak.
CREATE TABLE unit (
    name TEXT PRIMARY KEY,
    entry BLOB NOT NULL, -- its latest roster entry, encoded
    signing BLOB NOT NULL, -- its Ed25519 key
    standing INTEGER NOT NULL, -- 0 admitted, 1 suspended, 2 left
    certificate BLOB NOT NULL UNIQUE, -- SHA-256 of its TLS client certificate
    mailbox INTEGER NOT NULL DEFAULT 0 -- the last position in its mailbox
) STRICT;

-- The last envelope of each sender, the broker included (R23).
CREATE TABLE chain (
    party TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    previous BLOB NOT NULL -- hash of that envelope
) STRICT;

-- Invites and what came of them (R6).
CREATE TABLE invite (
    token_hash BLOB PRIMARY KEY, -- SHA-256; the token itself is never stored
    unit TEXT NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE joining (
    token_hash BLOB PRIMARY KEY REFERENCES invite (token_hash),
    unit TEXT NOT NULL,
    entry BLOB NOT NULL, -- the roster entry that the unit signed
    request BLOB NOT NULL, -- its certificate request
    certificate BLOB -- once admitted
) STRICT;

-- The log (R26): nodes of complete subtrees, and the right edge.
CREATE TABLE log_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    size INTEGER NOT NULL,
    frontier BLOB NOT NULL,
    root BLOB NOT NULL
) STRICT;
INSERT INTO log_head (id, size, frontier, root) VALUES
    (1, 0, x'0000000000000000', x'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
CREATE TABLE log_node (
    level INTEGER NOT NULL, -- 0: leaves
    idx INTEGER NOT NULL, -- from 0 at the left
    hash BLOB NOT NULL,
    PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint (
    size INTEGER PRIMARY KEY,
    root BLOB NOT NULL,
    note TEXT NOT NULL, -- text and the log's signature
    at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE cosignature (
    size INTEGER NOT NULL REFERENCES checkpoint (size),
    unit TEXT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (size, unit)
) STRICT;

-- Bodies in frames: staged by their sender, then owned by the envelope that was accepted with them (R24).
CREATE TABLE body (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL, -- who uploads, or '@broker'
    root BLOB NOT NULL, -- of the whole body, head included
    rows_len INTEGER NOT NULL,
    accepted INTEGER NOT NULL DEFAULT 0, -- 1: an envelope owns it
    touched_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX body_staged ON body (owner, root) WHERE accepted = 0;
CREATE TABLE frame (
    body INTEGER NOT NULL REFERENCES body (id) ON DELETE CASCADE,
    idx INTEGER NOT NULL, -- from 0
    bytes BLOB NOT NULL,
    hash BLOB NOT NULL, -- of the part, for the body's root
    PRIMARY KEY (body, idx)
) STRICT;

-- Accepted envelopes (R25).
CREATE TABLE envelope (
    entry INTEGER PRIMARY KEY, -- index in the log
    hash BLOB NOT NULL UNIQUE,
    sender TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    receiver TEXT NOT NULL,
    kind TEXT NOT NULL,
    epoch INTEGER NOT NULL, -- 0: belongs to none
    bytes BLOB NOT NULL, -- as signed
    head BLOB NOT NULL,
    rows BLOB, -- up to 65,536 bytes; NULL: in frames, or destroyed with its epoch
    rows_len INTEGER NOT NULL,
    body INTEGER, -- id; NULL: rows stand here, or are destroyed with their epoch
    UNIQUE (sender, sequence)
) STRICT;
CREATE INDEX envelope_to_all ON envelope (entry) WHERE receiver = '@all';
CREATE INDEX envelope_epoch ON envelope (epoch) WHERE epoch > 0;
CREATE TABLE mailbox (
    unit TEXT NOT NULL,
    position INTEGER NOT NULL, -- from 1
    entry INTEGER NOT NULL REFERENCES envelope (entry),
    PRIMARY KEY (unit, position),
    UNIQUE (unit, entry)
) STRICT, WITHOUT ROWID;

-- Another envelope under a number that was taken: refused, and kept (R24).
CREATE TABLE evidence (
    unit TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (unit, sequence)
) STRICT;

-- Accords, in the order of the log.
CREATE TABLE accord (
    hash BLOB PRIMARY KEY,
    start_epoch INTEGER NOT NULL,
    start_tick INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,
    text TEXT NOT NULL,
    proposed INTEGER NOT NULL, -- its entry in the log
    needed TEXT NOT NULL, -- who was a member then, separated by spaces
    complete INTEGER -- size of the log when it became complete; NULL: not yet
) STRICT;
CREATE TABLE accord_signature (
    accord BLOB NOT NULL REFERENCES accord (hash),
    unit TEXT NOT NULL,
    entry INTEGER NOT NULL,
    PRIMARY KEY (accord, unit)
) STRICT;
CREATE TABLE closed_epoch (
    epoch INTEGER PRIMARY KEY,
    entry INTEGER NOT NULL -- of the envelope that closed it
) STRICT;

-- Comparing (R15 to R18). Everything here goes when its epoch closes.
CREATE TABLE pair_epoch (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    low TEXT NOT NULL, -- the unit whose name sorts first
    high TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    low_tick INTEGER, -- tick of the side's last tag set; NULL: not open yet
    high_tick INTEGER,
    cut INTEGER NOT NULL DEFAULT 0, -- size of the log at the last cut
    pending INTEGER NOT NULL DEFAULT 0, -- 1: tag sets came since
    UNIQUE (low, high, epoch)
) STRICT;
CREATE INDEX pair_epoch_pending ON pair_epoch (id) WHERE pending = 1;
CREATE TABLE tag_set (
    entry INTEGER PRIMARY KEY, -- of its envelope
    pair_epoch INTEGER NOT NULL REFERENCES pair_epoch (id),
    side INTEGER NOT NULL, -- 0 low, 1 high
    hash BLOB NOT NULL -- of its envelope
) STRICT;
CREATE INDEX tag_set_of ON tag_set (pair_epoch, entry);
CREATE TABLE leaf (
    pair_epoch INTEGER NOT NULL,
    tag BLOB NOT NULL,
    side INTEGER NOT NULL,
    confirmation BLOB NOT NULL,
    added INTEGER NOT NULL, -- entry of the tag set that added it
    PRIMARY KEY (pair_epoch, tag, side)
) STRICT, WITHOUT ROWID;
-- Leaves that came since a cut. On an expression, so that no planner takes it for a look-up by tag.
CREATE INDEX leaf_added ON leaf ((pair_epoch * 2 + side), added);
CREATE TABLE cut (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pair_epoch INTEGER NOT NULL REFERENCES pair_epoch (id),
    position INTEGER NOT NULL, -- size of the log
    digest BLOB NOT NULL UNIQUE,
    matches INTEGER NOT NULL,
    low_notice INTEGER NOT NULL, -- entries
    high_notice INTEGER NOT NULL,
    low_acknowledgement INTEGER, -- entries; both are delivered once both are there
    high_acknowledgement INTEGER
) STRICT;
CREATE INDEX cut_of ON cut (pair_epoch);
CREATE TABLE cut_match (
    pair_epoch INTEGER NOT NULL,
    position INTEGER NOT NULL, -- of its cut
    tag BLOB NOT NULL,
    low BLOB NOT NULL, -- confirmations
    high BLOB NOT NULL,
    low_added INTEGER NOT NULL, -- entries of the tag sets that hold the leaves (evidence, R17)
    high_added INTEGER NOT NULL,
    PRIMARY KEY (pair_epoch, position, tag)
) STRICT, WITHOUT ROWID;
