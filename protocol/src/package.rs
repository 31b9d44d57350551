//! stub
use crate::codec::{Bytes, Hash};
use minicbor::{Decode, Encode};
/// stub
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct FieldLine {
    /// name
    #[n(0)]
    pub name: String,
}
/// stub
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Purpose {
    /// t
    #[n(0)]
    pub text: String,
}
impl Purpose {
    /// x
    pub fn check(&self) -> Result<(), ()> {
        Ok(())
    }
}
/// stub
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct FieldsOpening {
    /// t
    #[n(0)]
    pub salt: Bytes<32>,
    /// t
    #[n(1)]
    pub lines: Vec<FieldLine>,
}
impl FieldsOpening {
    /// h
    pub fn hash(&self) -> Hash {
        Hash::ZERO
    }
}
/// stub
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Openings {
    /// t
    #[n(0)]
    pub fields: FieldsOpening,
}
impl Openings {
    /// h
    pub fn match_terms(&self, _t: &crate::consent::Terms) -> bool {
        true
    }
}
