//! Which identifier rules hold for this unit.
//!
//! Called by commands that read or explain the register. *Not here:* what the rules mean (package `identifier`).

use super::CommandError;
use crate::agent::kept_accord;
use crate::vault::{Vault, VaultError};
use identifier::{Rules, RulesError};
use protocol::accord::{Accord, Identifiers};

/// The identifier rules that an accord states. The version of the normalisation is part of them (R36).
pub fn rules_of(identifiers: &Identifiers) -> Result<Rules, RulesError> {
    let mut table = identifiers.rules.clone();
    table.insert("version".to_owned(), i64::from(identifiers.version).into());
    Rules::from_toml(&table.to_string())
}

/// The latest accord that all have signed; None before the first.
pub async fn accord_in_force(vault: &Vault) -> Result<Option<Accord>, VaultError> {
    let mut latest: Option<Accord> = None;
    for (_, value) in vault.list("accord/").await? {
        if let Some((accord, true)) = kept_accord(&value)
            && latest.as_ref().is_none_or(|known| known.start().epoch < accord.start().epoch)
        {
            latest = Some(accord);
        }
    }
    Ok(latest)
}

/// The rules of the accord in force; the default ones before the first.
pub async fn rules_in_force(vault: &Vault) -> Result<Rules, CommandError> {
    Ok(match accord_in_force(vault).await? {
        Some(accord) => rules_of(&accord.terms().identifiers)?,
        None => Rules::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accords_table_is_read_with_its_version() {
        let rules = "default_country = \"SN\"\nenough_b = 3".parse().unwrap();
        let read = rules_of(&Identifiers { version: identifier::VERSION, rules }).unwrap();
        assert_eq!((read.default_country.map(identifier::Country::code), read.enough_b), (Some("SN"), 3));
        let other = Identifiers { version: identifier::VERSION + 1, rules: Default::default() };
        assert!(matches!(rules_of(&other), Err(RulesError::Version { .. })));
    }
}
