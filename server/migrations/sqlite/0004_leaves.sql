-- Leaves in blocks instead of one by one: see server/src/leaves.rs. Its twin is migrations/postgres/0004_leaves.sql.
-- Everything here goes when its epoch closes.

-- Leaves of one side that stand in ascending order: those of a tag set, or of several that were merged.
CREATE TABLE leaf_run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pair_epoch INTEGER NOT NULL,
    side INTEGER NOT NULL, -- 0 low, 1 high
    added INTEGER NOT NULL, -- entry of the latest tag set in it: before or since the pair's last cut, as all of it is
    leaves INTEGER NOT NULL -- how many
) STRICT;
CREATE INDEX leaf_run_of ON leaf_run (pair_epoch, side);
CREATE TABLE leaf_block (
    run INTEGER NOT NULL,
    first BLOB NOT NULL, -- the first tag in it
    leaves BLOB NOT NULL, -- up to 120, ascending: tag (16), confirmation (16)
    PRIMARY KEY (run, first)
) STRICT;

-- What stands is carried over: for each side one run of what was compared, and one of what came since.
INSERT INTO leaf_run (pair_epoch, side, added, leaves)
    SELECT l.pair_epoch, l.side, max(l.added), count(*) FROM leaf l JOIN pair_epoch p ON p.id = l.pair_epoch
    GROUP BY l.pair_epoch, l.side, l.added >= p.cut;
INSERT INTO leaf_block (run, first, leaves)
    SELECT run, substr(leaves, 1, 16), leaves FROM (
        SELECT run, unhex(group_concat(hex(tag) || hex(confirmation), '' ORDER BY tag)) AS leaves FROM (
            SELECT r.id AS run, l.tag, l.confirmation,
                (row_number() OVER (PARTITION BY r.id ORDER BY l.tag) - 1) / 120 AS block
            FROM leaf l JOIN pair_epoch p ON p.id = l.pair_epoch
            JOIN leaf_run r ON r.pair_epoch = l.pair_epoch AND r.side = l.side
                AND (r.added >= p.cut) = (l.added >= p.cut)) AS numbered
        GROUP BY run, block) AS blocks;
DROP TABLE leaf;

-- Which leaf was told of at a cut stands in the notices, and which set added it in the signed sets.
DROP TABLE cut_match;
