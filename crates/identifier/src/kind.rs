//! What an identifier names, and how much one meeting of it is worth.
//!
//! Used by every file of the crate and by the accord. Not here: the canonical forms (canonical/), the rule that turns
//! meetings into an overlap (strength.rs).

use std::fmt;

use serde::{Deserialize, Serialize};

/// The type of an identifier. Its name stands in the token's bytes, so that tokens of two kinds are never equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// A telephone number, E.164.
    Phone,
    /// An e-mail address.
    Email,
    /// A document's number with its issuing country and class.
    Document,
    /// A vehicle's registration plate with its country.
    Plate,
    /// A bank account, ISO 13616.
    Iban,
    /// A mobile-money account, by its telephone number.
    MobileMoney,
    /// A handset, 3GPP TS 23.003.
    Imei,
    /// A SIM subscription, ITU-T E.212.
    Imsi,
    /// A vehicle, ISO 3779.
    Vin,
    /// A ship, by its IMO number.
    Imo,
    /// A ship's radio station, ITU-R M.585.
    Mmsi,
    /// A social account: platform and handle.
    Social,
    /// A crypto-currency address.
    Wallet,
    /// An organisation's or boat's registration number with its country.
    RegistrationNumber,
    /// An organisation's name.
    Organisation,
    /// A person's names with a full birth date.
    Person,
    /// A vessel's name.
    VesselName,
    /// An address, without its holder.
    Address,
}

impl Kind {
    /// All kinds, in the order of their declaration.
    pub const ALL: [Kind; 18] = [
        Kind::Phone,
        Kind::Email,
        Kind::Document,
        Kind::Plate,
        Kind::Iban,
        Kind::MobileMoney,
        Kind::Imei,
        Kind::Imsi,
        Kind::Vin,
        Kind::Imo,
        Kind::Mmsi,
        Kind::Social,
        Kind::Wallet,
        Kind::RegistrationNumber,
        Kind::Organisation,
        Kind::Person,
        Kind::VesselName,
        Kind::Address,
    ];

    /// The stable name: in tokens, in the accord, in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Phone => "phone",
            Kind::Email => "email",
            Kind::Document => "document",
            Kind::Plate => "plate",
            Kind::Iban => "iban",
            Kind::MobileMoney => "mobile_money",
            Kind::Imei => "imei",
            Kind::Imsi => "imsi",
            Kind::Vin => "vin",
            Kind::Imo => "imo",
            Kind::Mmsi => "mmsi",
            Kind::Social => "social",
            Kind::Wallet => "wallet",
            Kind::RegistrationNumber => "registration_number",
            Kind::Organisation => "organisation",
            Kind::Person => "person",
            Kind::VesselName => "vessel_name",
            Kind::Address => "address",
        }
    }

    /// The kind of that [`name`](Self::name).
    pub fn by_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The best tier of this kind, unless the accord says otherwise; some of its tokens may be weaker.
    pub const fn tier(self) -> Tier {
        match self {
            Kind::Phone
            | Kind::Email
            | Kind::Document
            | Kind::Plate
            | Kind::Iban
            | Kind::MobileMoney
            | Kind::Imei
            | Kind::Imsi
            | Kind::Vin
            | Kind::Imo
            | Kind::Social
            | Kind::Wallet
            | Kind::Person => Tier::A,
            // An MMSI goes with the flag and is given again; registers number companies and boats in series that
            // overlap; names are shared.
            Kind::Mmsi | Kind::RegistrationNumber | Kind::Organisation | Kind::Address => Tier::B,
            Kind::VesselName => Tier::C,
        }
    }

    /// Roughly how many bits a guesser must try to meet one value of this kind in a country of ten million people.
    /// An order of magnitude for officers, not a proof: numbers are dense, names and birth dates can be looked up.
    pub const fn guess_bits(self) -> u32 {
        match self {
            Kind::Phone | Kind::MobileMoney => 24,
            Kind::Email | Kind::Social => 30,
            Kind::Document => 27,
            Kind::Plate => 20,
            Kind::Iban | Kind::Imsi => 33,
            Kind::Imei | Kind::Vin => 36,
            Kind::Imo => 17,
            Kind::Mmsi => 18,
            Kind::Wallet => 160,
            Kind::RegistrationNumber | Kind::Organisation => 16,
            Kind::Person => 22,
            Kind::Address => 18,
            Kind::VesselName => 12,
        }
    }
}

impl Kind {
    /// Roughly how likely two records of different subjects meet in this kind and tier: an order of magnitude for the strength
    /// card. Of persons, addresses and documents of tier B it was measured on invented registers (docs/IDENTIFIERS.md);
    /// elsewhere it is judged from how often such numbers are shared, given again or mistyped.
    pub const fn chance(self, tier: Tier) -> f64 {
        match (self, tier) {
            (Kind::Person, Tier::A) => 4e-8,
            (Kind::Person, _) | (Kind::Document, Tier::B | Tier::C) | (Kind::VesselName, _) => 1e-5,
            (Kind::Address, _) => 5e-7,
            (Kind::Social, Tier::B | Tier::C) | (Kind::RegistrationNumber | Kind::Organisation, _) => 1e-7,
            (Kind::Mmsi, _) => 1e-8,
            (Kind::Phone | Kind::MobileMoney | Kind::Plate | Kind::Social, _) => 2e-9,
            (Kind::Email | Kind::Document | Kind::Imei | Kind::Imsi | Kind::Vin | Kind::Imo, _) => 1e-10,
            (Kind::Iban, _) => 1e-11,
            (Kind::Wallet, _) => 1e-12,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How much one meeting of a token is worth (R19).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tier {
    /// Surfaces an overlap by itself.
    A,
    /// Surfaces an overlap with enough others of tier B.
    B,
    /// Only supports: never surfaces anything.
    C,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tier::A => "A",
            Tier::B => "B",
            Tier::C => "C",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found_again() {
        for kind in Kind::ALL {
            assert_eq!(Kind::by_name(kind.name()), Some(kind));
        }
        assert_eq!(Kind::by_name("telephone"), None);
    }

    #[test]
    fn serde_uses_the_same_names() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).ok(), Some(serde_json::Value::from(kind.name())));
        }
    }
}
