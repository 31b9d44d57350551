//! A dishonest unit with full access to its own vault, and an operator who helps it.
//!
//! SN signs acts that its own agent refuses to make; what the broker refuses of them, the operator writes into log and
//! mailbox himself, as a broker would that had let them pass. Caller: the misbehaviours about consent and turns. *Not
//! here:* which act is tried.

use super::table::Table;
use crate::broker_view::open;
use crate::federation::{Unit, patience};
use crate::officers::Officer;
use anyhow::{Context, Result};
use client::agent::Event;
use client::broker::{BrokerClient, Outgoing};
use client::membership::Membership;
use protocol::act::{Act, Content};
use protocol::body::Body;
use protocol::envelope::{Envelope, Header, UnverifiedEnvelope, seal_envelope};
use protocol::identity::UnitKeys;
use protocol::matter::Matter;
use protocol::message::Head;
use protocol::overlap::CaseKey;
use sqlx::{AssertSqlSafe, Row};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tlog::UnverifiedFrontier;

/// SN, dishonest.
pub(super) struct Dishonest {
    client: BrokerClient,
    keys: UnitKeys,
    /// Of an act that it sent before: a dishonest unit would have kept one; here it is read back from the broker.
    header: Header,
    /// The case's key, out of its own vault.
    key: CaseKey,
    broker: PathBuf,
}

impl Dishonest {
    /// Takes SN's keys out of its vault. SN has acted in the case before.
    pub async fn unit(table: &Table) -> Result<Dishonest> {
        let sn = &table.small.sn;
        let membership = Membership::load(&sn.vault).await?;
        let client = membership.client(patience())?;
        let broker = table.small.served.folder.clone();
        let pool = open(&broker, None).await?;
        const OWN: &str = "SELECT bytes FROM envelope WHERE sender = 'SN' AND kind = 'act' ORDER BY entry DESC LIMIT 1";
        let row = sqlx::query(OWN).fetch_one(&pool).await.context("SN has acted")?;
        let bytes: Vec<u8> = row.try_get(0)?;
        pool.close().await;
        let (federation, own) = sn.session.agent().signing_context();
        let header = UnverifiedEnvelope::decode(&bytes)?.verify(&federation, &own)?.header().clone();
        let kept = sn.vault.get(&format!("case/GM/{}", table.handle)).await?.context("SN keeps the case")?;
        // A kept case begins with the case, and its key.
        let mut decoder = minicbor::Decoder::new(&kept);
        decoder.bytes()?;
        let key = CaseKey::from_secret(decoder.bytes()?.try_into()?);
        Ok(Dishonest { client, keys: membership.into_keys(), header, key, broker })
    }

    /// An act as SN's officer would sign it, in the case as SN has it. Nobody checks it here.
    pub fn act(
        &self,
        sn: &mut Unit,
        table: &protocol::overlap::Handle,
        officer: &Officer,
        event: &str,
        content: Content,
        fill: impl FnOnce(&mut Matter),
    ) -> Result<(Act, Matter)> {
        let prospect = sn.session.prospect(table)?;
        let mut matter = sn.session.matter();
        fill(&mut matter);
        matter.by = Some(officer.name().clone());
        let now = client::session::system_clock()();
        let statement = sn.session.agent().statement(&prospect, event, content, &matter, now);
        Ok((Act::sign(statement, officer.number(), officer.key()), matter))
    }

    async fn envelope(&self, (act, matter): &(Act, Matter)) -> Result<(Envelope, Body)> {
        let state = self.client.state().await?;
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        let body = Body { head: act.to_bytes(), rows: matter.seal(&self.key, &mut rng)? };
        let header = Header { sequence: state.sequence + 1, previous: state.previous, ..self.header.clone() };
        Ok((seal_envelope(header, &body, &self.keys.signing), body))
    }

    /// Sends it in order; the broker's refusal, if it refuses.
    pub async fn submit(&self, said: &(Act, Matter)) -> Result<Option<String>> {
        let (envelope, body) = self.envelope(said).await?;
        let outcomes = self.client.submit(&[Outgoing::new(envelope.as_bytes(), &body)]).await?;
        Ok(outcomes.refused.map(|refused| refused.code))
    }

    /// The operator puts it into the log and into GM's mailbox, unrefereed: the log stays consistent, only the rules
    /// are not kept.
    pub async fn smuggle(&self, said: &(Act, Matter)) -> Result<()> {
        let (envelope, body) = self.envelope(said).await?;
        let pool = open(&self.broker, None).await?;
        let mut connection = pool.acquire().await?;
        // The broker goes on at the same log: nothing may come in between.
        let tx: &mut sqlx::AnyConnection = &mut connection;
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *tx).await?;
        let row = sqlx::query("SELECT size, frontier, root FROM log_head").fetch_one(&mut *tx).await?;
        let (size, edge, root): (i64, Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let root: [u8; 32] = root.try_into().ok().context("a root")?;
        let mut frontier = UnverifiedFrontier::decode(&edge)?.verify(size as u64, &root)?;
        let mut statements = String::new();
        for node in frontier.append(&tlog::Entry(envelope.hash().0)).context("the log is not full")? {
            let (level, index, hash) = (node.place.level, node.place.index, hex::encode(node.hash));
            statements
                .push_str(&format!("INSERT INTO log_node (level, idx, hash) VALUES ({level}, {index}, x'{hash}');\n"));
        }
        let (edge, root) = (hex::encode(frontier.to_bytes()), hex::encode(frontier.root()));
        let (hash, bytes) = (hex::encode(envelope.hash().0), hex::encode(envelope.as_bytes()));
        let (head, rows, rows_len) = (hex::encode(&body.head), hex::encode(&body.rows), body.rows.len());
        let sequence = envelope.header().sequence;
        statements.push_str(&format!(
            "UPDATE log_head SET size = {}, frontier = x'{edge}', root = x'{root}';
            INSERT INTO envelope (entry, hash, sender, sequence, receiver, kind, epoch, bytes, head, rows, rows_len, body)
                VALUES ({size}, x'{hash}', 'SN', {sequence}, 'GM', 'act', 0, x'{bytes}', x'{head}', x'{rows}',
                    {rows_len}, NULL);
            UPDATE chain SET sequence = {sequence}, previous = x'{hash}' WHERE party = 'SN';
            UPDATE unit SET mailbox = mailbox + 1 WHERE name = 'GM';
            INSERT INTO mailbox (unit, position, entry) SELECT name, mailbox, {size} FROM unit WHERE name = 'GM';
            COMMIT",
            frontier.size(),
        ));
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut *tx).await?;
        drop(connection);
        pool.close().await;
        Ok(())
    }

    /// Whether GM refuses what was smuggled, by the rule of this name, and its case is as it was.
    pub async fn gm_refuses(&self, table: &mut Table, said: &(Act, Matter), code: &str) -> Result<bool> {
        let handle = table.handle;
        let gm = &mut table.small.gm;
        gm.sync().await?;
        let (before, from) = (gm.session.prospect(&handle)?.case, gm.events.len());
        self.smuggle(said).await?;
        let event = &said.0.statement.event;
        let told = |events: &[Event]| {
            events.iter().any(|told| matches!(told, Event::ActRefused(_, what, why) if what == event && *why == code))
        };
        let began = Instant::now();
        while !told(&gm.events[from..]) && began.elapsed() < Duration::from_secs(10) {
            gm.round(Duration::from_millis(20)).await?;
        }
        Ok(told(&gm.events[from..]) && gm.session.prospect(&handle)?.case == before)
    }

    /// The broker refuses it by the rule of this name; and where a broker lets it pass, the other unit does.
    pub async fn is_refused_twice(&self, table: &mut Table, said: &(Act, Matter), code: &str) -> Result<bool> {
        let refused = self.submit(said).await?;
        let by_broker = refused.as_deref() == Some(code);
        Ok(by_broker && self.gm_refuses(table, said, code).await?)
    }

    /// The control: the honest act, sent the same way, is accepted, and GM's case goes on.
    pub async fn passes(&self, table: &mut Table, said: &(Act, Matter)) -> Result<bool> {
        let handle = table.handle;
        let refused = self.submit(said).await?;
        table.small.gm.sync().await?;
        let head = said.0.link(table.small.sn.session.prospect(&handle)?.case.head());
        Ok(refused.is_none() && *table.small.gm.session.prospect(&handle)?.case.head() == head)
    }
}
