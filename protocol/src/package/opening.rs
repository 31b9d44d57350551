//! What can be shown of a package without the package: its fields, its purpose, its handling codes.
//!
//! Each opening carries a salt of its own, derived one way from the manifest's, and hashes to what the consent's
//! [`Terms`] carry. Callers: agents (inside sealed matter), the audit. *Not here:* values, file names, lengths.

use super::{FieldLine, HandlingCode, Manifest, Purpose, labelled};
use crate::codec::{self, Bytes, Hash};
use crate::consent::Terms;
use crate::label;
use hkdf::Hkdf;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

/// The list of fields.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct FieldsOpening {
    /// The salt of this list.
    #[n(0)]
    pub salt: Bytes<32>,
    /// Every item without its value.
    #[n(1)]
    pub lines: Vec<FieldLine>,
}

impl FieldsOpening {
    /// [`Terms::fields`].
    pub fn hash(&self) -> Hash {
        hash(label::PACKAGE_FIELDS, self)
    }
}

/// The purpose.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct PurposeOpening {
    /// The salt of the purpose.
    #[n(0)]
    pub salt: Bytes<32>,
    /// The purpose.
    #[n(1)]
    pub purpose: Purpose,
}

impl PurposeOpening {
    /// [`Terms::purpose`].
    pub fn hash(&self) -> Hash {
        hash(label::PACKAGE_PURPOSE, self)
    }
}

/// What one item may not be used for.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct HandlingLine {
    /// The handling codes.
    #[n(0)]
    pub handling: Vec<HandlingCode>,
    /// The restriction of code H3.
    #[n(1)]
    pub restriction: Option<String>,
}

/// The handling codes: item by item, in the order of the items, without the fields' names.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct HandlingOpening {
    /// The salt of this list.
    #[n(0)]
    pub salt: Bytes<32>,
    /// A line for each item.
    #[n(1)]
    pub lines: Vec<HandlingLine>,
}

impl HandlingOpening {
    /// [`Terms::handling`].
    pub fn hash(&self) -> Hash {
        hash(label::PACKAGE_HANDLING, self)
    }
}

/// All three; each can be shown without the others.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Openings {
    /// The list of fields.
    #[n(0)]
    pub fields: FieldsOpening,
    /// The purpose.
    #[n(1)]
    pub purpose: PurposeOpening,
    /// The handling codes.
    #[n(2)]
    pub handling: HandlingOpening,
}

impl Openings {
    pub(super) fn of(manifest: &Manifest) -> Self {
        let salt = |label: &str| sub_salt(&manifest.salt, label);
        let handling = |item: &super::Item| HandlingLine {
            handling: item.handling.clone(),
            restriction: item.restriction.clone(),
        };
        Openings {
            fields: FieldsOpening { salt: salt(label::PACKAGE_FIELDS), lines: manifest.field_lines() },
            purpose: PurposeOpening { salt: salt(label::PACKAGE_PURPOSE), purpose: manifest.purpose.clone() },
            handling: HandlingOpening {
                salt: salt(label::PACKAGE_HANDLING),
                lines: manifest.items.iter().map(handling).collect(),
            },
        }
    }

    /// Whether these are what was consented to.
    pub fn are_of(&self, terms: &Terms) -> bool {
        self.fields.hash() == terms.fields
            && self.purpose.hash() == terms.purpose
            && self.handling.hash() == terms.handling
    }
}

/// One way: who knows a derived salt knows neither the package's salt nor another derived one.
fn sub_salt(salt: &Bytes<32>, label: &str) -> Bytes<32> {
    let mut out = [0; 32];
    // 32 bytes are within what HKDF-SHA-256 gives.
    let _ = Hkdf::<Sha256>::new(None, &salt.0).expand_multi_info(&[label.as_bytes(), &[0], b"salt"], &mut out);
    Bytes(out)
}

/// `label ‖ 0 ‖ opening`, whose first bytes are its salt.
fn hash<T: Encode<()>>(label: &str, opening: &T) -> Hash {
    Bytes(labelled(label).chain_update(codec::encode(opening)).finalize().into())
}
