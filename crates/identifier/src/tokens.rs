//! A record's tokens: the crate's one front door.
//!
//! Called by the client for each row of an import, and by the `quality` example. Pure: the same record and rules give the
//! same tokens in the same order, on every machine.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Category, Column, Kind, Reason, Record, Refusal, Rule, Rules, Subject, Tier, Token, canonical};

/// What a record gives.
#[derive(Debug, Default)]
pub struct Tokens {
    /// Each distinct token once, sorted by its bytes.
    pub tokens: Vec<Token>,
    /// Each value that was not used, or used with less, and why.
    pub refused: Vec<Refusal>,
}

/// All tokens of a record under the accord's rules.
///
/// A bad value loses that value only. A record of a victim, minor or witness gives nothing but the refusal that says so,
/// as long as [`Rule::ProtectCategories`] is on.
pub fn tokens(record: &Record, rules: &Rules) -> Tokens {
    let mut found = Tokens { tokens: Vec::new(), refused: record.faults().to_vec() };
    if rules.on(Rule::ProtectCategories) && is_protected(record, &mut found, rules) {
        found.refused.retain(|refusal| refusal.reason == Reason::Protected);
        return found;
    }
    let about = subject(record, &mut found);
    let mut forms = Vec::new();
    let Tokens { tokens, refused } = &mut found;
    let mut refuse = |column: Column, index: usize, reason: Reason| {
        let refusal = Refusal { column, index, reason };
        if !refused.contains(&refusal) {
            refused.push(refusal);
        }
    };
    for raw in record.raw_identifiers(about) {
        let (column, index) = (raw.column, raw.index);
        if !rules.compares(raw.kind) {
            continue;
        }
        match raw.canonical(&record.defaults, rules, &mut forms) {
            Ok(None) => {}
            Ok(Some(notice)) => refuse(column, index, notice),
            Err(reason) => refuse(column, index, reason),
        }
        for token in forms.drain(..).map(Token::new) {
            if rules.denies(&token) {
                refuse(column, index, Reason::TooCommon);
            } else {
                tokens.push(token);
            }
        }
    }
    canonical::of_record(record, about, rules, &mut forms, &mut refuse);
    tokens.extend(forms.into_iter().map(Token::new));
    found.tokens.sort_unstable_by(|a, b| a.expose_secret().cmp(b.expose_secret()).then(a.tier.cmp(&b.tier)));
    found.tokens.dedup_by(|b, a| a.expose_secret() == b.expose_secret());
    keep_strongest(&mut found.tokens, usize::from(rules.most_tokens));
    found
}

/// Leaves at most so many tokens: those of the best tier, and of these first the kinds of which there are fewest, so that a
/// record's many spellings never push out its one document. The same record always keeps the same ones.
fn keep_strongest(tokens: &mut Vec<Token>, most: usize) {
    if tokens.len() <= most {
        return;
    }
    let mut places: Vec<(Tier, usize, usize)> = Vec::with_capacity(tokens.len());
    let mut seen: BTreeMap<(Tier, Kind), usize> = BTreeMap::new();
    for (place, token) in tokens.iter().enumerate() {
        let turn = seen.entry((token.tier, token.kind)).or_default();
        places.push((token.tier, *turn, place));
        *turn += 1;
    }
    places.sort_unstable();
    let kept: BTreeSet<usize> = places.into_iter().take(most).map(|(_, _, place)| place).collect();
    let mut place = 0;
    tokens.retain(|_| {
        place += 1;
        kept.contains(&(place - 1))
    });
}

fn is_protected(record: &Record, found: &mut Tokens, rules: &Rules) -> bool {
    // All values: a record that is "suspect|victim" is a victim's. A cell that was too long to read may say anything.
    let unread = record.faults().iter().any(|fault| fault.column == Column::Category);
    let mut protected = unread.then_some(0);
    for (index, text) in record.values(Column::Category).enumerate() {
        match Category::read(text) {
            Some(category) if category.is_protected() => protected = protected.or(Some(index)),
            Some(_) => {}
            None => {
                found.refused.push(Refusal { column: Column::Category, index, reason: Reason::UnknownWord });
            }
        }
    }
    if let Some(index) = protected {
        found.refused.push(Refusal { column: Column::Category, index, reason: Reason::Protected });
        return true;
    }
    let minor = if rules.on(Rule::ProtectByAge) { canonical::minor(record, rules) } else { None };
    if let Some(index) = minor {
        found.refused.push(Refusal { column: Column::BirthDate, index, reason: Reason::Protected });
    }
    minor.is_some()
}

fn subject(record: &Record, found: &mut Tokens) -> Option<Subject> {
    let Some(text) = record.values(Column::Subject).find(|text| !text.trim().is_empty()) else {
        return record.defaults.subject;
    };
    let read = Subject::read(text);
    if read.is_none() {
        found.refused.push(Refusal { column: Column::Subject, index: 0, reason: Reason::UnknownWord });
    }
    read.or(record.defaults.subject)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Defaults, Denied};

    fn found(cells: &[(Column, &str)], rules: &Rules) -> Tokens {
        tokens(&Record::from_cells(cells, &Defaults::default()), rules)
    }

    #[test]
    fn one_token_for_each_distinct_identifier() {
        let found =
            found(&[(Column::Phone, "+221771234567|00221 77 123 45 67|tel:+221-77-123-4567")], &Rules::default());
        assert_eq!(found.tokens.len(), 1);
        assert_eq!(found.tokens[0].expose_secret(), b"phone\x1f+221771234567");
        assert!(found.refused.is_empty());
    }

    #[test]
    fn a_bad_value_loses_itself_only() {
        let found = found(&[(Column::Phone, "n/a|+221771234567"), (Column::Email, "none")], &Rules::default());
        assert_eq!(found.tokens.len(), 1);
        let places: Vec<_> = found.refused.iter().map(|r| (r.column, r.index, r.reason)).collect();
        assert_eq!(places, [(Column::Phone, 0, Reason::Placeholder), (Column::Email, 0, Reason::Placeholder)]);
    }

    #[test]
    fn victims_minors_and_witnesses_give_nothing() {
        for category in ["victim", "Mineur", "témoin", "suspect|victim"] {
            let found = found(&[(Column::Category, category), (Column::Phone, "+221771234567")], &Rules::default());
            assert!(found.tokens.is_empty());
            assert_eq!(found.refused.iter().map(|r| r.reason).collect::<Vec<_>>(), [Reason::Protected]);
        }
        let mut open = Rules::default();
        open.off.insert(Rule::ProtectCategories);
        assert_eq!(found(&[(Column::Category, "victim"), (Column::Phone, "+221771234567")], &open).tokens.len(), 1);
    }

    #[test]
    fn an_unreadable_category_protects() {
        let long = "x".repeat(crate::MAX_CELL_BYTES + 1);
        let found = found(&[(Column::Category, &long), (Column::Phone, "+221771234567")], &Rules::default());
        assert!(found.tokens.is_empty());
    }

    #[test]
    fn denied_values_and_kinds_that_are_off() {
        let denied = Denied { kind: Kind::Phone, value: "+221 800 00 11 22".into(), country: None };
        let mut rules = Rules::default().with_denied(vec![denied]).expect("a readable number");
        let cells = [(Column::Phone, "00221800001122|+221771234567"), (Column::Email, "a@b.sn")];
        let first = found(&cells, &rules);
        assert_eq!(first.tokens.len(), 2);
        assert_eq!(first.refused.iter().map(|r| r.reason).collect::<Vec<_>>(), [Reason::TooCommon]);
        rules.kinds_off.insert(Kind::Phone);
        assert_eq!(found(&cells, &rules).tokens.len(), 1);
    }

    #[test]
    fn a_full_name_of_an_organisation_is_its_name() {
        let by_name = found(&[(Column::OrganisationName, "Sahel Transit SARL")], &Rules::default());
        let by_full =
            found(&[(Column::Subject, "organisation"), (Column::FullName, "SAHEL TRANSIT")], &Rules::default());
        assert_eq!(by_name.tokens[0].expose_secret(), by_full.tokens[0].expose_secret());
    }
}
