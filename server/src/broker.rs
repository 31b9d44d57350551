//! The broker's core: one value that holds the store, the keys and the wake-ups, and can be shared.
//!
//! What it does stands in the modules beside this one, each with its own `impl Broker`. Callers: [`crate::http`], the
//! commands, tests and the exercise. *Not here:* HTTP, TLS, and any clock: every moment is an argument.

use crate::agreement::Agreement;
use crate::authority::Authority;
use crate::cases::Manuals;
use crate::home::{Home, Settings};
use crate::mail::Mail;
use crate::metrics::Metrics;
use crate::store::{Order, Result, Store, StoreError};
use protocol::codec::Hash;
use protocol::identity::{SigningKey, federation_id};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// A broker. Cloning shares it.
#[derive(Clone)]
pub struct Broker(Arc<Inner>);

struct Inner {
    store: Store,
    federation: Hash,
    settings: Settings,
    signing: SigningKey,
    authority: Authority,
    mail: Mail,
    metrics: Metrics,
    agreement: Mutex<Arc<Agreement>>,
    manuals: Manuals,
}

/// How the broker stands.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Status {
    /// The federation's name.
    pub federation: String,
    /// Its identifier.
    pub federation_id: String,
    /// Units that are admitted.
    pub admitted: u64,
    /// Units that asked to join and wait for the operator.
    pub waiting: u64,
    /// Cases that are not at an end.
    pub cases: u64,
    /// Entries in the log.
    pub log_size: u64,
    /// Entries that the latest checkpoint covers.
    pub checkpoint_size: u64,
    /// Witnesses that cosigned the latest checkpoint that any cosigned.
    pub witnesses: u64,
    /// The accord in force, as a hash.
    pub accord: Option<String>,
    /// The tick.
    pub tick: Option<u64>,
    /// The epoch of that tick.
    pub epoch: Option<u32>,
}

impl Broker {
    /// Opens the broker that lives in `home`.
    pub async fn open(home: Home) -> Result<Broker> {
        let settings = home.settings().clone();
        let store = match &settings.database {
            Some(url) => Store::open_postgres(url).await?,
            None => Store::open_sqlite(&home.database_file()).await?,
        };
        let (signing, authority) = home.into_keys();
        let federation = federation_id(&settings.federation, &signing.public());
        settle_identity(&store, &federation).await?;
        Ok(Broker(Arc::new(Inner {
            store,
            federation,
            settings,
            signing,
            authority,
            mail: Mail::default(),
            metrics: Metrics::new(),
            agreement: Mutex::default(),
            manuals: Manuals::default(),
        })))
    }

    /// The federation's identifier.
    pub fn federation(&self) -> &Hash {
        &self.0.federation
    }

    /// What was written when the broker was founded.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The key that verifies the broker's envelopes.
    pub fn public_key(&self) -> protocol::Bytes<32> {
        self.0.signing.public()
    }

    /// SHA-256 of the certificate of the broker's authority.
    pub fn authority_fingerprint(&self) -> Hash {
        self.0.authority.fingerprint()
    }

    /// What it counts.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn signing(&self) -> &SigningKey {
        &self.0.signing
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.0.authority
    }

    pub(crate) fn mail(&self) -> &Mail {
        &self.0.mail
    }

    pub(crate) fn manuals(&self) -> &Manuals {
        &self.0.manuals
    }

    pub(crate) fn agreement_cell(&self) -> &Mutex<Arc<Agreement>> {
        &self.0.agreement
    }

    /// How the broker stands.
    pub async fn status(&self, now_ms: u64) -> Result<Status> {
        let count =
            async |sql| -> Result<u64> { self.store().first(sql, &[]).await?.map_or(Ok(0), |mut row| row.int(0)) };
        let agreement = self.agreement().await?;
        let tick = agreement.tick_at(now_ms);
        let accord = agreement.ruling_at(now_ms);
        Ok(Status {
            federation: self.settings().federation.clone(),
            federation_id: self.federation().to_string(),
            admitted: count("SELECT count(*) FROM unit WHERE standing = 0").await?,
            waiting: count("SELECT count(*) FROM joining WHERE certificate IS NULL").await?,
            cases: count("SELECT count(*) FROM case_file WHERE deadline_ms IS NOT NULL").await?,
            log_size: self.log_size().await?,
            checkpoint_size: count("SELECT coalesce(max(size), 0) FROM checkpoint").await?,
            witnesses: count("SELECT count(*) FROM cosignature WHERE size = (SELECT max(size) FROM cosignature)")
                .await?,
            accord: accord.map(|accord| accord.hash().to_string()),
            tick,
            epoch: accord.zip(tick).and_then(|(accord, tick)| accord.calendar().epoch_of(tick)),
        })
    }

    /// Copies the database into `file`, whole and consistent. `false` on PostgreSQL: use `pg_dump`.
    pub async fn backup(&self, file: &Path) -> Result<bool> {
        let name = file.to_str().ok_or(StoreError::Corrupt("a file name that is not text"))?;
        self.store().copy_into(name).await
    }

    /// Whether the store answers.
    pub async fn is_healthy(&self) -> bool {
        self.log_size().await.is_ok()
    }

    /// Closes the store.
    pub async fn close(&self) {
        self.store().close().await;
    }
}

/// A database belongs to one federation: another key or name is refused.
async fn settle_identity(store: &Store, federation: &Hash) -> Result<()> {
    let mut tx = store.write(Order::Free).await?;
    const KEEP: &str = "INSERT INTO setting (name, value) VALUES ('federation', $1) ON CONFLICT (name) DO NOTHING";
    tx.run(KEEP, &[federation.to_string().as_str().into()]).await?;
    let row = tx.first("SELECT value FROM setting WHERE name = 'federation'", &[]).await?;
    let kept = row.ok_or(StoreError::Corrupt("no federation"))?.text(0)?;
    tx.commit().await?;
    if kept == federation.to_string() { Ok(()) } else { Err(StoreError::Corrupt("it is another federation's")) }
}
