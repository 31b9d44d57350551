//! The two hashes of RFC 6962, section 2.1, and what a leaf of the log is.
//!
//! Called by every other file of this crate. It is not a general hash module: envelopes are hashed by `protocol`.

use sha2::{Digest, Sha256};

/// A SHA-256 hash: of a leaf, of an inner node or of a whole tree.
pub type Hash = [u8; 32];

/// The most leaves that a tree may have: 2^62. It keeps every index below 2^63, inside a database's signed integers and
/// inside the arithmetic of `ct-merkle`; larger sizes are refused wherever they are read.
pub const MAX_SIZE: u64 = 1 << 62;

/// A leaf of the log: the hash of an envelope with its signature (R26). The log holds nothing else of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Entry(pub [u8; 32]);

impl Entry {
    /// The hash that stands in the tree for this entry: [`leaf_hash`] of its 32 bytes.
    pub fn leaf_hash(&self) -> Hash {
        leaf_hash(&self.0)
    }
}

/// The hash of a leaf's data: SHA-256(0x00 ‖ data), RFC 6962, section 2.1.
pub fn leaf_hash(data: &[u8]) -> Hash {
    Sha256::new().chain_update([0x00]).chain_update(data).finalize().into()
}

/// The root of the tree without leaves: SHA-256 of nothing, RFC 6962, section 2.1.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The hash of an inner node: SHA-256(0x01 ‖ left ‖ right), RFC 6962, section 2.1.
pub(crate) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([0x01]).chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
pub(crate) mod vectors {
    //! The reference leaves and roots of the Certificate Transparency project: transparency-dev/merkle,
    //! testonly/constants.go (LeafInputs, RootHashes).

    pub const LEAVES: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

    /// The root of the first n leaves stands at place n.
    pub const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    pub fn leaves() -> Vec<Vec<u8>> {
        LEAVES.iter().map(|leaf| hex::decode(leaf).unwrap()).collect()
    }

    pub fn hash(text: &str) -> super::Hash {
        hex::decode(text).unwrap().try_into().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::{vectors::*, *};

    #[test]
    fn rfc_6962_hashes_of_the_empty_tree_of_a_leaf_and_of_a_node() {
        assert_eq!(empty_root(), hash(ROOTS[0]));
        assert_eq!(leaf_hash(b""), hash(ROOTS[1]));
        assert_eq!(node_hash(&leaf_hash(b""), &leaf_hash(&[0])), hash(ROOTS[2]));
        assert_eq!(Entry([7; 32]).leaf_hash(), leaf_hash(&[7; 32]));
    }
}
