//! What a unit objects to in a case, and the officers who let it go on (R33).
//!
//! An act of the other unit that breaks a guard of the parties is in the log, and has moved the case; this unit gives
//! nothing more in it until a head or legal officer has looked, and has signed that it goes on, and why. The objection and
//! that signature stay, for the audit: `lifting/HANDLE/ENTRY`, by the first entry that it is about.
//!
//! Callers: `casework` and `parcels` object, commands lift through the session. *Not here:* which guards there are
//! ([`protocol::matter`]).

use super::Agent;
use super::casefile::CaseFile;
use super::casework::CaseworkError;
use super::desk::Desk;
use super::event::Event;
use protocol::codec;
use protocol::lifting::{Objected, SignedLifting};
use protocol::name::UnitName;
use protocol::overlap::Handle;
use zeroize::Zeroizing;

/// The unit objects to what it found in an entry of the log.
pub(super) fn object(file: &mut CaseFile, peer: &UnitName, entry: u64, code: &'static str, desk: &mut Desk) {
    desk.tell(Event::Objection(peer.clone(), *file.case.handle(), code));
    file.objections.push(Objected { entry, code: code.to_owned() });
    file.touch();
}

impl Agent {
    /// A head or legal officer has looked at all that the unit objects to in a case, and lets it go on. The signature is
    /// kept with the same step.
    ///
    /// # Errors
    /// [`CaseworkError::Lifting`]: not exactly what stands, without a reason, or not signed by one who may.
    pub fn lift(&mut self, signed: &SignedLifting, now_ms: u64) -> Result<(), CaseworkError> {
        self.at(now_ms);
        let said = &signed.lifting;
        let stands = &self.file(&said.handle)?.objections;
        let officers = self.certified.officers();
        let is_ours = said.federation == self.desk.federation && said.unit == self.desk.me;
        let may = officers.in_standing(&said.unit, said.officer).is_some() && signed.is_signed(officers);
        if !is_ours || !may || !said.is_whole() || said.objections != *stands {
            return Err(CaseworkError::Lifting);
        }
        let first = stands.first().map_or(0, |objected| objected.entry);
        let key = format!("lifting/{}/{first:020}", said.handle);
        self.desk.put(key, Zeroizing::new(codec::encode(signed)));
        let file = self.file_mut(&said.handle)?;
        file.objections.clear();
        file.touch();
        Ok(())
    }

    /// What this unit objects to in a case now, in the order of the log.
    pub fn objections(&self, handle: &Handle) -> Vec<Objected> {
        self.file(handle).map(|file| file.objections.clone()).unwrap_or_default()
    }
}
