//! Two units of a small federation at one table: GM asks, SN provides.
//!
//! Caller: the misbehaviours about consent and turns. *Not here:* anything dishonest ([`super::dishonest`]).

use super::{Small, small_accord};
use crate::officers::Staff;
use crate::outcomes::handle_of;
use crate::talks::{Side, Talks};
use anyhow::Result;
use protocol::act::Outcome;
use protocol::overlap::Handle;
use std::path::Path;

/// Who asks.
pub(super) const GM: Side = Side::One;
/// Who provides, and misbehaves.
pub(super) const SN: Side = Side::Other;

/// The federation, its officers, and the overlaps of the records A and B.
pub(super) struct Table {
    pub small: Small,
    pub gm: Staff,
    pub sn: Staff,
    /// The overlap of record A.
    pub handle: Handle,
    /// The overlap of record B.
    pub other: Handle,
}

impl Table {
    /// Matched, and with officers. `limits`: words of the manual, and what stands in their place.
    pub async fn set(folder: &Path, limits: &[(&str, &str)]) -> Result<Table> {
        let mut text = small_accord();
        for (word, other) in limits {
            anyhow::ensure!(text.contains(word), "the manual says {word}");
            text = text.replace(word, other);
        }
        let mut small = Box::pin(Small::agreed_on(folder, &text)).await?;
        Box::pin(small.settled()).await?;
        let gm = Staff::appoint(&mut small.gm).await?;
        let sn = Staff::appoint(&mut small.sn).await?;
        small.gm.sync().await?;
        let handle = handle_of(&small.sn, &small.gm, "A").await?;
        let other = handle_of(&small.sn, &small.gm, "B").await?;
        Ok(Table { small, gm, sn, handle, other })
    }

    /// About record A.
    pub fn talks(&mut self) -> Talks<'_> {
        Talks::new(self.handle, [&mut self.small.gm, &mut self.small.sn], [&self.gm, &self.sn])
    }

    /// About record B.
    pub fn other_talks(&mut self) -> Talks<'_> {
        Talks::new(self.other, [&mut self.small.gm, &mut self.small.sn], [&self.gm, &self.sn])
    }

    /// Until SN has agreed to hand over, and its officers are to consent.
    pub async fn agreed_to_hand_over(folder: &Path) -> Result<Table> {
        let mut table = Box::pin(Table::set(folder, &[])).await?;
        let mut talks = table.talks();
        talks.begin().await?;
        talks.agree(GM, Outcome::Handover, Some(SN), &["phone", "note"]).await?;
        Ok(table)
    }
}
