//! What the broker saw: read from its own database, as an operator with full access would.
//!
//! Callers: the page and the story. *Not here:* how it was filled.

use anyhow::{Context, Result};
use protocol::act::Act;
use protocol::message::{Deadline, Head, ParcelPart};
use protocol::tagset::Leaf;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{AnyPool, AssertSqlSafe, Row};
use std::collections::BTreeMap;
use std::path::Path;

/// Envelopes of one kind.
#[derive(Clone, Debug)]
pub struct KindSeen {
    /// The kind.
    pub kind: String,
    /// How many.
    pub count: i64,
    /// Their rows, in bytes.
    pub bytes: i64,
}

/// What it knows of one pair: sizes and the number of equal tags.
#[derive(Clone, Debug)]
pub struct PairSeen {
    /// The two units.
    pub units: [String; 2],
    /// Leaves it holds of each, padding included.
    pub leaves: [i64; 2],
    /// Tags that were equal, canaries included.
    pub matches: i64,
}

/// An act, or a limit, as the broker has it: whose, by which officer's number, what is done, and a length.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventSeen {
    /// The unit; nobody's, for a limit.
    pub unit: String,
    /// The officer's number; `None`: the agent, or time.
    pub officer: Option<u32>,
    /// What is done.
    pub event: String,
    /// Sealed matter, in bytes.
    pub bytes: i64,
}

/// What it knows of one case: the handle stands for two records, and says nothing of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CaseSeen {
    /// Acts and limits, in the order of the log.
    pub events: Vec<EventSeen>,
    /// Parts of parcels.
    pub parts: usize,
    /// Their bytes, padding included.
    pub part_bytes: i64,
    /// Parts whose bytes it still has.
    pub parts_kept: usize,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct BrokerView {
    /// By kind.
    pub kinds: Vec<KindSeen>,
    /// By pair.
    pub pairs: Vec<PairSeen>,
    /// By handle.
    pub cases: BTreeMap<String, CaseSeen>,
    /// One leaf, as it lies there, in hexadecimal: tag and confirmation.
    pub leaf: Option<(String, String)>,
}

/// Opens the broker's database, as whoever holds the machine can.
pub async fn open(folder: &Path, database: Option<&str>) -> Result<AnyPool> {
    install_default_drivers();
    let url = match database {
        Some(url) => url.to_owned(),
        None => format!("sqlite://{}", folder.join("broker.sqlite").display()),
    };
    AnyPoolOptions::new().max_connections(1).connect(&url).await.context("the broker's database does not open")
}

/// Runs statements as the operator, on SQLite or PostgreSQL.
pub async fn execute(pool: &AnyPool, statement: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(pool).await?;
    Ok(())
}

/// Looks at everything.
pub async fn look(folder: &Path, database: Option<&str>) -> Result<BrokerView> {
    let pool = open(folder, database).await?;
    let mut view = BrokerView::default();
    const KINDS: &str = "SELECT kind, count(*) AS n, CAST(sum(rows_len) AS BIGINT) AS b FROM envelope
        GROUP BY kind ORDER BY kind";
    for row in sqlx::query(KINDS).fetch_all(&pool).await? {
        view.kinds.push(KindSeen { kind: row.try_get(0)?, count: row.try_get(1)?, bytes: row.try_get(2)? });
    }
    const PAIRS: &str = "SELECT p.low, p.high,
            (SELECT CAST(coalesce(sum(leaves), 0) AS BIGINT) FROM leaf_run r WHERE r.pair_epoch = p.id AND r.side = 0),
            (SELECT CAST(coalesce(sum(leaves), 0) AS BIGINT) FROM leaf_run r WHERE r.pair_epoch = p.id AND r.side = 1),
            (SELECT CAST(coalesce(sum(matches), 0) AS BIGINT) FROM cut c WHERE c.pair_epoch = p.id)
        FROM pair_epoch p ORDER BY p.low, p.high";
    for row in sqlx::query(PAIRS).fetch_all(&pool).await? {
        view.pairs.push(PairSeen {
            units: [row.try_get(0)?, row.try_get(1)?],
            leaves: [row.try_get(2)?, row.try_get(3)?],
            matches: row.try_get(4)?,
        });
    }
    view.cases = cases(&pool).await?;
    if let Some(row) = sqlx::query("SELECT leaves FROM leaf_block LIMIT 1").fetch_optional(&pool).await? {
        let leaves: Vec<u8> = row.try_get(0)?;
        view.leaf = leaves.first_chunk().map(|leaf| {
            let leaf = Leaf::from_bytes(leaf);
            (leaf.tag.to_string(), leaf.confirmation.to_string())
        });
    }
    pool.close().await;
    Ok(view)
}

async fn cases(pool: &AnyPool) -> Result<BTreeMap<String, CaseSeen>> {
    const SAID: &str = "SELECT kind, head, rows_len, CASE WHEN rows IS NULL AND body IS NULL THEN 0 ELSE 1 END
        FROM envelope WHERE kind IN ('act', 'deadline', 'parcel-part') ORDER BY entry";
    let mut cases: BTreeMap<String, CaseSeen> = BTreeMap::new();
    for row in sqlx::query(SAID).fetch_all(pool).await? {
        let (kind, head): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
        let (bytes, kept): (i64, i32) = (row.try_get(2)?, row.try_get(3)?);
        match kind.as_str() {
            "act" => {
                let Act { statement, officer } = Act::from_bytes(&head)?;
                let officer = officer.map(|signed| signed.number);
                let event = EventSeen { unit: statement.unit.to_string(), officer, event: statement.event, bytes };
                cases.entry(statement.handle.to_string()).or_default().events.push(event);
            }
            "deadline" => {
                let handle = Deadline::from_bytes(&head)?.handle.to_string();
                let event = EventSeen { unit: String::new(), officer: None, event: "timeout".to_owned(), bytes };
                cases.entry(handle).or_default().events.push(event);
            }
            _ => {
                let case = cases.entry(ParcelPart::from_bytes(&head)?.handle.to_string()).or_default();
                case.parts += 1;
                case.part_bytes += bytes;
                case.parts_kept += usize::from(kept != 0);
            }
        }
    }
    Ok(cases)
}
