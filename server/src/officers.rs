//! The units' officers, as the referee knows them: numbers, roles and keys, folded from the log (R30).
//!
//! Callers: [`crate::accept`], and [`crate::membership`] when a unit's keys change. Whoever is admitted later gets the
//! entries as it gets all that was said to all. *Not here:* the rules themselves ([`protocol::officer`]), and any name: a
//! certificate holds a commitment to it.

use crate::broker::Broker;
use crate::log::Writing;
use crate::store::{Ask, Result, StoreError};
use protocol::codec;
use protocol::name::UnitName;
use protocol::officer::{Certificate, Officer, OfficerEntry, OfficerRefused, Officers};

impl Broker {
    /// An entry of `unit`'s about one of its officers. It is the next one of the log.
    pub(crate) async fn officer_entry(
        &self,
        writing: &mut Writing,
        unit: &UnitName,
        entry: &OfficerEntry,
    ) -> Result<Result<(), OfficerRefused>> {
        let mut officers = officers_of(&mut writing.tx, &[unit]).await?;
        if let Err(refused) = officers.apply(self.federation(), unit, entry) {
            return Ok(Err(refused));
        }
        let at = writing.size();
        match entry {
            OfficerEntry::Certified(certificate) => {
                const KEEP: &str = "INSERT INTO officer (unit, number, role, key, revoked, entry, certificate)
                    VALUES ($1, $2, $3, $4, NULL, $5, $6)";
                let encoded = codec::encode(certificate);
                let args = [
                    unit.as_str().into(),
                    certificate.number.into(),
                    (certificate.role as u32).into(),
                    (&certificate.key).into(),
                    at.into(),
                    encoded.as_slice().into(),
                ];
                writing.tx.run(KEEP, &args).await?;
            }
            OfficerEntry::Revoked(number) => {
                const GONE: &str = "UPDATE officer SET revoked = $1 WHERE unit = $2 AND number = $3";
                writing.tx.run(GONE, &[at.into(), unit.as_str().into(), (*number).into()]).await?;
            }
        }
        Ok(Ok(()))
    }
}

/// All officers of some units, as they stand now. Costs what these units have, not what the federation has.
pub(crate) async fn officers_of(from: &mut impl Ask, units: &[&UnitName]) -> Result<Officers> {
    const OF: &str = "SELECT certificate, revoked FROM officer WHERE unit = $1 ORDER BY number";
    let mut officers = Officers::default();
    for unit in units {
        for mut row in from.ask(OF, &[unit.as_str().into()]).await? {
            let certificate: Certificate =
                codec::decode(&row.blob(0)?).map_err(|_| StoreError::Corrupt("an officer's certificate"))?;
            let revoked = row.maybe_int(1)?.is_some();
            officers.restore((*unit).clone(), Officer { certificate, revoked });
        }
    }
    Ok(officers)
}

/// `unit` has other keys from the next entry of the log on: see [`Officers::rekeyed`].
pub(crate) async fn rekeyed(writing: &mut Writing, unit: &UnitName) -> Result<()> {
    const GONE: &str = "UPDATE officer SET revoked = $1 WHERE unit = $2 AND revoked IS NULL";
    let args = [writing.size().into(), unit.as_str().into()];
    writing.tx.run(GONE, &args).await.map(drop)
}
