//! Somebody joins under another unit's name (R7): the operator admits him, the officers do not.

use super::{Small, small_accord};
use crate::federation::{Unit, agree};
use anyhow::{Context, Result};
use client::membership::{Membership, found};
use client::vault::{Hashing, Passphrase, Vault};
use protocol::identity::{UnitKeys, same_code};
use std::path::Path;
use std::time::Duration;

/// The unit that joined as GM is not the one whose officers answer the telephone.
pub(super) async fn substitute(folder: &Path) -> Result<bool> {
    let mut small = Small::joined(folder).await?;
    // The true GM: its own vault and keys, its invite kept from it.
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let passphrase = Passphrase::from(crate::federation::PASSPHRASE.to_owned());
    let vault = Vault::create(&folder.join("true.sqlite"), &passphrase, Hashing::WEAK_FOR_EXERCISES, &mut rng).await?;
    found(&vault, &small.gm.name, "The Gambia", &mut rng).await?;
    let own = Membership::load(&vault).await?;

    small.sn.sync().await?;
    let view = small.sn.session.agent().view();
    let shown = view.peers.iter().find(|peer| peer.name == small.gm.name).context("SN sees somebody called GM")?;
    // On the telephone GM's officers read the code that their own keys give; SN's officers compare.
    let read_out = own.code_with(&view.federation, &view.unit, &sn_keys(&small.sn).await?);
    let refused = !same_code(&read_out, &shown.code);

    // The impostor, of course, trusts SN; the accord is signed; and still nothing is exchanged with him.
    let sn = small.sn.name.clone();
    small.gm.sync().await?;
    small.gm.session.act(|agent, _| agent.mark_verified(&sn)).await??;
    let Small { served, gm, sn } = small;
    let mut units = vec![gm, sn];
    agree(&mut units, &small_accord()).await?;
    let [gm, sn] = <[Unit; 2]>::try_from(units).map_err(|_| anyhow::anyhow!("two units"))?;
    let mut small = Small { served, gm, sn };
    small.while_waiting(Duration::from_secs(2), |_| false).await?;
    let view = small.sn.session.agent().view();
    let nothing =
        view.points_sent == 0 && view.points_evaluated == 0 && small.gm.session.agent().overlaps().count() == 0;
    small.served.stop().await?;
    Ok(refused && nothing)
}

async fn sn_keys(sn: &Unit) -> Result<UnitKeys> {
    Ok(Membership::load(&sn.vault).await?.into_keys())
}
