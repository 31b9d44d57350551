//! The officers of the exercise: three in each unit, with invented names, certified through the unit's agent (R30).
//!
//! Their keys are in memory only: the exercise signs for everybody, so that a passphrase would protect nothing. Callers:
//! what follows a match ([`crate::outcomes`]), and the misbehaviours. *Not here:* what a role may do.

use crate::federation::Unit;
use anyhow::{Context, Result};
use client::session::Signatory;
use protocol::officer::{Certificate, NameOpening, OfficerKey, OfficerRole};

/// Who works in each unit. An urgent consent takes a head and a second officer; the legal officer validates it.
const ROLES: [(OfficerRole, &str); 3] =
    [(OfficerRole::Investigator, "Aïssata"), (OfficerRole::Head, "Mamadou"), (OfficerRole::LegalOfficer, "Ndèye")];

/// One family name for each unit of the default exercise, so that nobody is taken for somebody of another unit.
const SURNAMES: [(&str, &str); 7] = [
    ("SN", "Mbengue"),
    ("MR", "Ould Sidi"),
    ("GM", "Jobarteh"),
    ("NE", "Amadou"),
    ("ML", "Dembélé"),
    ("CI", "Kouassi"),
    ("GN", "Condé"),
];

/// An officer, with the key to sign with.
pub struct Officer {
    number: u32,
    role: OfficerRole,
    key: OfficerKey,
    name: NameOpening,
}

impl Officer {
    /// To sign with.
    pub fn signatory(&self) -> Signatory<'_> {
        Signatory { number: self.number, key: &self.key, name: &self.name }
    }

    /// The key.
    pub fn key(&self) -> &OfficerKey {
        &self.key
    }

    /// The number in the unit.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The name, under the certificate's commitment.
    pub fn name(&self) -> &NameOpening {
        &self.name
    }
}

/// The officers of one unit.
pub struct Staff(Vec<Officer>);

impl Staff {
    /// Certifies the officers of a unit; the others know them once they have synchronised.
    pub async fn appoint(unit: &mut Unit) -> Result<Staff> {
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        let (federation, _) = unit.session.agent().signing_context();
        let own = SURNAMES.iter().find(|(name, _)| *name == unit.name.as_str());
        let surname = own.map_or(unit.name.as_str(), |(_, surname)| surname);
        let mut staff = Vec::new();
        let first = unit.session.agent().officers().next_number(&unit.name);
        for (number, (role, given)) in (first..).zip(ROLES) {
            let key = OfficerKey::generate(&mut rng);
            let name = NameOpening::new(&format!("{given} {surname}"), &mut rng).context("an officer's name")?;
            let certificate = Certificate::new(&federation, &unit.name, number, role, &name, &key);
            unit.session.act(|agent, now| agent.certify(certificate, now)).await??;
            staff.push(Officer { number, role, key, name });
        }
        unit.sync().await?;
        Ok(Staff(staff))
    }

    /// Appoints officers in each unit, and lets all units know them.
    pub async fn appoint_all(units: &mut [Unit]) -> Result<Vec<Staff>> {
        let mut staffs = Vec::with_capacity(units.len());
        for unit in units.iter_mut() {
            staffs.push(Staff::appoint(unit).await?);
        }
        for unit in units.iter_mut() {
            unit.sync().await?;
        }
        Ok(staffs)
    }

    /// The officer of a role.
    pub fn of(&self, role: OfficerRole) -> Result<&Officer> {
        self.0.iter().find(|officer| officer.role == role).with_context(|| format!("no {role} in this unit"))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Officer> {
        self.0.iter()
    }
}
