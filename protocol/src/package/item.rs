//! One item of a package: a field with its value or a file, with what the recipient must respect.
//!
//! Callers: [`crate::package`]. *Not here:* what a handling code means for a recipient's own acts (the manual, people).

use super::{MAX_FIELD_NAME, MAX_FILE_NAME, MAX_NECESSITY, MAX_RESTRICTION, MAX_TEXT, PackageError};
use crate::codec::Hash;
use minicbor::{Decode, Encode};
use std::fmt;
use std::str::FromStr;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A word that is none of those that fit here.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[error("no such {what}: {words}")]
pub struct NoSuchWord {
    /// What was to be named.
    pub what: &'static str,
    /// All words that fit.
    pub words: &'static str,
}

/// An enum with one stable word for each value.
macro_rules! words {
    (
        $(#[$doc:meta])* $name:ident, $what:literal, $words:literal:
        $($(#[$case_doc:meta])* $case:ident $number:tt $word:literal)+
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
        #[cbor(index_only)]
        pub enum $name {
            $($(#[$case_doc])* #[n($number)] $case,)+
        }

        impl $name {
            /// All values.
            pub const ALL: &[$name] = &[$($name::$case),+];

            /// The stable name, as commands write it.
            pub fn name(self) -> &'static str {
                match self {
                    $($name::$case => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $name {
            type Err = NoSuchWord;

            fn from_str(text: &str) -> Result<Self, NoSuchWord> {
                let found = $name::ALL.iter().copied().find(|one| one.name() == text);
                found.ok_or(NoSuchWord { what: $what, words: $words })
            }
        }
    };
}

words! {
    /// What the recipient may not do with a field (the four codes that Europol uses).
    HandlingCode, "handling code", "H0, H1, H2 or H3":
    /// No restriction but the purpose: use within the network.
    H0 0 "H0"
    /// Not before a court without the provider's permission.
    H1 1 "H1"
    /// Not passed on without the provider's permission.
    H2 2 "H2"
    /// Another restriction, in words.
    H3 3 "H3"
}

words! {
    /// Whom a field is about.
    Category, "category", "suspect, convicted, contact, witness, victim, minor or unknown":
    /// Somebody suspected.
    Suspect 0 "suspect"
    /// Somebody convicted.
    Convicted 1 "convicted"
    /// A contact or associate.
    Contact 2 "contact"
    /// A witness.
    Witness 3 "witness"
    /// A victim.
    Victim 4 "victim"
    /// Somebody under age, whatever else they are.
    Minor 5 "minor"
    /// Not known.
    Unknown 6 "unknown"
}

words! {
    /// How reliable the source is.
    SourceCode, "source code", "A, B, C or X":
    /// No doubt, or reliable in all instances.
    A 0 "A"
    /// Reliable in most instances.
    B 1 "B"
    /// Unreliable in most instances.
    C 2 "C"
    /// Cannot be assessed.
    X 3 "X"
}

words! {
    /// How far the information is confirmed.
    InformationCode, "information code", "1, 2, 3 or 4":
    /// No doubt about its accuracy.
    One 0 "1"
    /// Known to the source at first hand.
    Two 1 "2"
    /// Not known at first hand, and corroborated.
    Three 2 "3"
    /// Not known at first hand, and not corroborated.
    Four 3 "4"
}

words! {
    /// Whether a field says what is, or what somebody thinks.
    Nature, "nature", "fact or assessment":
    /// A fact.
    Fact 0 "fact"
    /// An assessment.
    Assessment 1 "assessment"
}

words! {
    /// What a field's content is.
    ContentKind, "kind of content", "text or file":
    /// Text, in the manifest.
    Text 0 "text"
    /// A file, after the manifest.
    File 1 "file"
}

/// The value of an item. It has no `Debug` and no `Clone`, and is wiped from memory when it is dropped.
#[derive(Encode, Decode, Zeroize, ZeroizeOnDrop)]
pub enum Content {
    /// Text, at most [`MAX_TEXT`] bytes; no control characters but tab and line ends.
    #[n(0)]
    Text(#[n(0)] String),
    /// A file, whose bytes follow the manifest.
    #[n(1)]
    File {
        /// Its name, 1 to [`MAX_FILE_NAME`] bytes. It names no directory; whoever stores it chooses a name of their own.
        #[n(0)]
        name: String,
        /// Its length, in bytes.
        #[n(1)]
        length: u64,
        /// Its root ([`super::FileRoot`]).
        #[n(2)]
        #[zeroize(skip)]
        root: Hash,
    },
}

impl Content {
    /// Text or file.
    pub fn kind(&self) -> ContentKind {
        match self {
            Content::Text(_) => ContentKind::Text,
            Content::File { .. } => ContentKind::File,
        }
    }
}

/// One field or file.
#[derive(Encode, Decode)]
#[cbor(array)]
pub struct Item {
    /// The field's name, 1 to [`MAX_FIELD_NAME`] bytes.
    #[n(0)]
    pub name: String,
    /// Whom it is about.
    #[n(1)]
    pub category: Category,
    /// The handling codes: at least one, in order, each once.
    #[n(2)]
    pub handling: Vec<HandlingCode>,
    /// The restriction of code H3, 1 to [`MAX_RESTRICTION`] bytes; with that code only.
    #[n(3)]
    pub restriction: Option<String>,
    /// How reliable the source is.
    #[n(4)]
    pub source: SourceCode,
    /// How far it is confirmed.
    #[n(5)]
    pub information: InformationCode,
    /// Fact or assessment.
    #[n(6)]
    pub nature: Nature,
    /// Why the recipient needs this field, 1 to [`MAX_NECESSITY`] bytes.
    #[n(7)]
    pub necessity: String,
    /// The value.
    #[n(8)]
    pub content: Content,
}

impl Item {
    /// This item without its value.
    pub fn line(&self) -> FieldLine {
        FieldLine {
            name: self.name.clone(),
            category: self.category,
            handling: self.handling.clone(),
            restriction: self.restriction.clone(),
            source: self.source,
            information: self.information,
            nature: self.nature,
            necessity: self.necessity.clone(),
            kind: self.content.kind(),
        }
    }

    pub(super) fn check(&self, number: usize) -> Result<(), PackageError> {
        if !is_name(&self.name, MAX_FIELD_NAME) {
            return Err(PackageError::FieldName(number));
        }
        if self.handling.is_empty() || !self.handling.is_sorted_by(|a, b| a < b) {
            return Err(PackageError::Handling(number));
        }
        let restriction_fits = match &self.restriction {
            Some(text) => self.handling.contains(&HandlingCode::H3) && is_text(text, 1, MAX_RESTRICTION),
            None => !self.handling.contains(&HandlingCode::H3),
        };
        if !restriction_fits {
            return Err(PackageError::Restriction(number));
        }
        if !is_text(&self.necessity, 1, MAX_NECESSITY) {
            return Err(PackageError::Necessity(number));
        }
        match &self.content {
            Content::Text(text) if !is_text(text, 0, MAX_TEXT) => Err(PackageError::Text(number)),
            Content::File { name, .. } if !is_file_name(name) => Err(PackageError::FileName(number)),
            _ => Ok(()),
        }
    }
}

/// An item without its value, its file's name and its length: what officers and auditors may see.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct FieldLine {
    /// The field's name.
    #[n(0)]
    pub name: String,
    /// Whom it is about.
    #[n(1)]
    pub category: Category,
    /// The handling codes.
    #[n(2)]
    pub handling: Vec<HandlingCode>,
    /// The restriction of code H3.
    #[n(3)]
    pub restriction: Option<String>,
    /// How reliable the source is.
    #[n(4)]
    pub source: SourceCode,
    /// How far it is confirmed.
    #[n(5)]
    pub information: InformationCode,
    /// Fact or assessment.
    #[n(6)]
    pub nature: Nature,
    /// Why the recipient needs this field.
    #[n(7)]
    pub necessity: String,
    /// Text or file.
    #[n(8)]
    pub kind: ContentKind,
}

/// Text of `least` to `most` bytes. Control characters steer a terminal: none but tab and line ends.
pub(super) fn is_text(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.len()) && !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// One line. The characters that turn the direction of what follows are refused too: a name must read as it is.
fn is_name(text: &str, most: usize) -> bool {
    let steers = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (1..=most).contains(&text.len()) && !text.chars().any(steers)
}

fn is_file_name(name: &str) -> bool {
    is_name(name, MAX_FILE_NAME) && !name.contains(['/', '\\']) && name != "." && name != ".."
}
