//! Text of a register → canonical identifiers → tokens with a tier.
//!
//! The path of data, one type per stage: cells → [`Record`] → [`RawIdentifier`] → [`Canonical`] → [`Token`].
//! Two registers that write the same phone, document or plate in two ways get the same token bytes; two that
//! write different ones never do, but for the documented migrations of numbering plans (docs/IDENTIFIERS.md).
//!
//! Called by the client (import, `explain`, the token store) and by the `quality` example. The broker must never
//! contain this crate (R2): CI asks cargo for its tree.
//!
//! What it is not: no file, clock, network, randomness or curve. It reads no CSV or mapping file, it decides nothing
//! about disclosure, and it never compares two registers itself, except in the example that measures it.
//!
//! No input makes it panic or take more than bounded time: cells and values are capped ([`MAX_CELL_BYTES`],
//! [`MAX_VALUES`]), and no work is worse than linear in them.

mod canonical;
mod column;
mod country;
mod date;
mod kind;
mod plain;
mod record;
mod refusal;
mod rules;
mod strength;
mod token;
mod tokens;

pub use canonical::{Canonical, name_key};
pub use column::{Category, Column, Subject};
pub use country::Country;
pub use date::{BirthDate, DateFormat, DateFormatError};
pub use kind::{Kind, Tier};
pub use record::{Defaults, RawIdentifier, Record};
pub use refusal::{Language, Reason, Refusal};
pub use rules::{Denied, Rule, Rules, RulesError};
pub use strength::{Strength, Worth, surfaces};
pub use token::Token;
pub use tokens::{Tokens, tokens};

/// The version of the normalisation that this build makes (R36).
///
/// It grows whenever any input would give another token. It is part of the accord's [`Rules`]: text of another
/// version is refused when read, so two units of different versions get an error, never a silent "no match".
pub const VERSION: u32 = 3;

/// Cells longer than this many bytes are refused whole: no identifier is near as long.
pub const MAX_CELL_BYTES: usize = 4096;

/// Values of one cell beyond this number are refused: a cell is a list of aliases, not a register.
pub const MAX_VALUES: usize = 64;
