//! A unit that asks for more than the accord allows (R12, R13): its own agent would not, so it writes its own requests.

use super::Small;
use crate::broker_view::open;
use crate::federation::patience;
use anyhow::{Context, Result};
use client::agent::Event;
use client::membership::Membership;
use protocol::body::Body;
use protocol::envelope::{Header, UnverifiedEnvelope, seal_envelope};
use protocol::message::{Head, Request, Size};
use sqlx::Row;
use std::path::Path;

/// SN repeats its own request with fresh points, again and again, until GM refuses.
pub(super) async fn fish(folder: &Path) -> Result<bool> {
    let mut small = Small::agreed(folder).await?;
    small.settled().await?;
    let quota = small.gm.session.agent().view().peers.first().context("a peer")?.quota;
    let membership = Membership::load(&small.sn.vault).await?;
    let client = membership.client(patience())?;
    let keys = membership.into_keys();
    // A copy of its own last request: a dishonest unit would have kept one; here it is read back from the broker.
    let pool = open(&small.served.folder, None).await?;
    const OWN: &str =
        "SELECT bytes, head FROM envelope WHERE sender = 'SN' AND kind = 'request' ORDER BY entry DESC LIMIT 1";
    let row = sqlx::query(OWN).fetch_one(&pool).await.context("SN has sent requests")?;
    let (bytes, head): (Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
    pool.close().await;
    let (federation, own) = small.sn.session.agent().signing_context();
    let header = UnverifiedEnvelope::decode(&bytes)?.verify(&federation, &own)?.header().clone();
    let head = Request::from_bytes(&head)?;
    let mut asked = 0;
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    while asked <= quota {
        let state = client.state().await?;
        let points = random_points(4096, &mut rng);
        asked += 4096;
        let body = Body { head: Request { size: Size::Bulk, ..head.clone() }.to_bytes(), rows: points };
        let header = Header { sequence: state.sequence + 1, previous: state.previous, ..header.clone() };
        let envelope = seal_envelope(header, &body, &keys.signing);
        let outcomes = client.submit(&[client::broker::Outgoing::new(envelope.as_bytes(), &body)]).await?;
        anyhow::ensure!(outcomes.refused.is_none(), "the broker carries it: {:?}", outcomes.refused);
    }
    small.gm.sync().await?;
    let view = small.gm.session.agent().view();
    let told = small.gm.events.iter().any(|event| matches!(event, Event::OverQuota(_)));
    small.served.stop().await?;
    Ok(told && view.peers.iter().all(|peer| peer.evaluated <= quota))
}

/// Points that decode, without any curve arithmetic here: the public keys of fresh blinds would do as well.
fn random_points(count: usize, rng: &mut impl rand_core::CryptoRng) -> Vec<u8> {
    let mut out = Vec::with_capacity(count * 32);
    for _ in 0..count {
        out.extend_from_slice(protocol::psi::EpochKey::random(rng).commitment().as_bytes());
    }
    out
}
