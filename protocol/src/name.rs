//! Names of units, and the parties an envelope can be from or for.
//!
//! Callers: everything that addresses somebody. *Not* a display name: a unit's full title belongs to its roster entry.

use std::fmt;
use std::str::FromStr;

/// A unit's name: 1 to 32 letters, digits or hyphens of ASCII, not beginning with a hyphen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UnitName(String);

/// A name that is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[error("a unit's name is 1 to 32 letters, digits or hyphens, and begins with no hyphen")]
pub struct BadName;

impl UnitName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UnitName {
    type Err = BadName;

    fn from_str(s: &str) -> Result<Self, BadName> {
        let fits = (1..=32).contains(&s.len())
            && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !s.starts_with('-');
        if fits { Ok(UnitName(s.to_owned())) } else { Err(BadName) }
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who sends or receives an envelope. On the wire: a unit's name, `@broker` or `@all`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Party {
    /// One unit.
    Unit(UnitName),
    /// The broker.
    Broker,
    /// Every member of the federation; never a sender.
    All,
}

impl Party {
    /// The unit, if this is one.
    pub fn unit(&self) -> Option<&UnitName> {
        match self {
            Party::Unit(name) => Some(name),
            _ => None,
        }
    }

    /// The wire form.
    pub fn as_str(&self) -> &str {
        match self {
            Party::Unit(name) => name.as_str(),
            Party::Broker => "@broker",
            Party::All => "@all",
        }
    }
}

impl FromStr for Party {
    type Err = BadName;

    fn from_str(s: &str) -> Result<Self, BadName> {
        match s {
            "@broker" => Ok(Party::Broker),
            "@all" => Ok(Party::All),
            name => name.parse().map(Party::Unit),
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Two different units, in the order of their names: the same value on both sides.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pair {
    low: UnitName,
    high: UnitName,
}

impl Pair {
    /// The pair of `a` and `b`; `None` if they are the same unit.
    pub fn new(a: &UnitName, b: &UnitName) -> Option<Pair> {
        match a.cmp(b) {
            std::cmp::Ordering::Less => Some(Pair { low: a.clone(), high: b.clone() }),
            std::cmp::Ordering::Greater => Some(Pair { low: b.clone(), high: a.clone() }),
            std::cmp::Ordering::Equal => None,
        }
    }

    /// The unit whose name sorts first.
    pub fn low(&self) -> &UnitName {
        &self.low
    }

    /// The unit whose name sorts last.
    pub fn high(&self) -> &UnitName {
        &self.high
    }

    /// The other unit of the pair; `None` if `one` is not in it.
    pub fn other(&self, one: &UnitName) -> Option<&UnitName> {
        if *one == self.low {
            Some(&self.high)
        } else if *one == self.high {
            Some(&self.low)
        } else {
            None
        }
    }
}

macro_rules! cbor_as_text {
    ($($t:ty),*) => {$(
        impl<C> minicbor::Encode<C> for $t {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(self.as_str())?;
                Ok(())
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $t {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                d.str()?.parse().map_err(|_| minicbor::decode::Error::message("not a name"))
            }
        }
    )*};
}
cbor_as_text!(UnitName, Party);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_fit_and_names_that_do_not() {
        for good in ["SN", "a", "unit-7", &"x".repeat(32)] {
            assert!(good.parse::<UnitName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a b", "é", "@all", "a/b", &"x".repeat(33)] {
            assert_eq!(bad.parse::<UnitName>(), Err(BadName), "{bad}");
        }
    }

    #[test]
    fn a_pair_is_the_same_from_both_sides() {
        let (a, b): (UnitName, UnitName) = ("SN".parse().unwrap(), "GM".parse().unwrap());
        assert_eq!(Pair::new(&a, &b), Pair::new(&b, &a));
        assert_eq!(Pair::new(&a, &a), None);
        assert_eq!(Pair::new(&a, &b).unwrap().other(&a), Some(&b));
    }
}
