//! What the unit of the bundle objected to, and who let it go on: each lifting is an officer's signature (R33).
//!
//! That a unit objected is its own word, but where the acts show it: an act of the other unit that breaks a guard of the
//! parties must stand beside an objection. Caller: `verify`. *Not here:* what must be looked at ([`super::exceptions`]).

use super::bundle::Bundle;
use super::fold::{Folded, Folding};
use super::report::{Findings, Lifted, Objection};
use protocol::act::Content;
use protocol::lifting::{Objected, SignedLifting};

/// All of them, in the order of the log.
pub(super) fn all(bundle: &Bundle, folding: &Folding<'_>, findings: &mut Findings) -> Vec<Objection> {
    let mut out = Vec::new();
    let sound: Vec<&SignedLifting> = (1..)
        .zip(&bundle.liftings)
        .filter_map(|(number, signed)| {
            let found = check(bundle, folding, signed);
            found.map_err(|code| findings.add(code, format!("lifting {number}"))).ok().map(|()| signed)
        })
        .collect();
    for case in &folding.cases {
        let handle = case.history.handle;
        let lifted = sound.iter().filter(|signed| signed.lifting.handle == handle).flat_map(|signed| {
            signed.lifting.objections.iter().map(|objected| (objected, Some(lifted(folding, signed))))
        });
        let stands = case.history.objections.iter().map(|objected| (objected, None));
        let mut here: Vec<(&Objected, Option<Lifted>)> = lifted.chain(stands).collect();
        here.sort_by_key(|(objected, _)| objected.entry);
        let place = |entry: u64| format!("case {handle}, entry {entry}");
        for pair in here.windows(2).filter(|pair| pair[0].0.entry == pair[1].0.entry) {
            findings.add("objection-twice", place(pair[0].0.entry));
        }
        for (objected, _) in here.iter().filter(|(objected, _)| is_own(case, bundle, objected.entry)) {
            findings.add("objection-place", place(objected.entry));
        }
        for entry in case.broke_a_guard.iter().filter(|entry| here.iter().all(|(one, _)| one.entry != **entry)) {
            findings.add("objection-missing", place(*entry));
        }
        out.extend(here.into_iter().map(|(objected, lifted)| Objection {
            overlap: handle.to_string(),
            entry: objected.entry,
            code: objected.code.clone(),
            lifted,
        }));
    }
    out.sort_by_key(|objection| objection.entry);
    out
}

/// The unit's own acts that give something, after it had objected and before that was lifted: the entry of each.
pub(super) fn given_under(objection: &Objection, bundle: &Bundle, folding: &Folding<'_>) -> Vec<u64> {
    let cases = folding.cases.iter().filter(|case| case.history.handle.to_string() == objection.overlap);
    let said = cases.flat_map(|case| &case.said).filter(|said| said.entry > objection.entry);
    let until = objection.lifted.as_ref().map_or(u64::MAX, |lifted| lifted.by.at.0);
    said.filter(|said| {
        said.act.as_ref().is_some_and(|act| {
            let gives = matches!(act.statement.content, Content::Consent(_) | Content::Parcel(_) | Content::Journal);
            gives && act.statement.unit == bundle.unit && said.at_ms < until
        })
    })
    .map(|said| said.entry)
    .collect()
}

fn check(bundle: &Bundle, folding: &Folding<'_>, signed: &SignedLifting) -> Result<(), &'static str> {
    let said = &signed.lifting;
    let federation = protocol::identity::federation_id(&bundle.federation, &bundle.broker);
    let is_here = folding.cases.iter().any(|case| case.history.handle == said.handle);
    if said.federation != federation || said.unit != bundle.unit || !is_here || !said.is_whole() {
        return Err("lifting-place");
    }
    if signed.is_signed(&folding.officers) { Ok(()) } else { Err("lifting-signature") }
}

fn lifted(folding: &Folding<'_>, signed: &SignedLifting) -> Lifted {
    let said = &signed.lifting;
    Lifted { by: folding.officer(&said.unit, said.officer, said.at_ms), why: said.why.clone() }
}

/// Whether the unit of the bundle said what stands at this entry: nobody objects to oneself.
fn is_own(case: &Folded<'_>, bundle: &Bundle, entry: u64) -> bool {
    let said = case.said.iter().find(|said| said.entry == entry);
    said.is_some_and(|said| said.act.as_ref().is_none_or(|act| act.statement.unit == bundle.unit))
}
