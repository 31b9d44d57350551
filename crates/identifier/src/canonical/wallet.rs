//! Crypto-currency addresses, with the checksums that can be checked.
//!
//! Base58Check (Bitcoin, Litecoin, Dogecoin, Tron: SHA-256 twice), Bech32 and Bech32m (BIP 173 and 350). The mixed case of
//! Ethereum addresses (EIP-55) is a checksum too, but registers lose it; it is not checked, and the address is lowered.
//! Other chains are taken letter for letter.

use sha2::{Digest, Sha256};

use super::Wiped;
use crate::Reason;

/// The fewest characters of an address.
const SHORTEST: usize = 20;

/// Scheme and query taken off; the address letter for letter, or in lower case where case means nothing.
pub(super) fn wallet(text: &str) -> Result<Wiped, Reason> {
    let bare = match text.split_once(':') {
        Some((scheme, rest)) if scheme.chars().all(char::is_alphanumeric) => rest,
        _ => text,
    };
    let bare = bare.trim().trim_start_matches("//");
    let bare = bare.split(['?', '@']).next().unwrap_or(bare);
    // BTC 1A1z..., TR7N... (USDT): the currency beside the address.
    let mut long =
        bare.split(|c: char| c.is_whitespace() || "()[],;".contains(c)).filter(|word| word.len() >= SHORTEST);
    let bare = match (long.next(), long.next()) {
        (Some(word), None) => word,
        _ => bare,
    };
    if !bare.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(Reason::WrongCharacters);
    }
    match bare.len() {
        n if n < SHORTEST => return Err(Reason::TooShort),
        129.. => return Err(Reason::TooLong),
        _ => {}
    }
    let lower = Wiped::new(bare.to_ascii_lowercase());
    if lower.len() == 42 && lower.starts_with("0x") {
        let is_hex = lower[2..].bytes().all(|b| b.is_ascii_hexdigit());
        return if is_hex { Ok(lower) } else { Err(Reason::WrongCharacters) };
    }
    if ["bc1", "ltc1", "tb1"].iter().any(|prefix| lower.starts_with(prefix)) {
        // One case or the other, not both.
        let one_case = bare == lower.as_str() || bare == bare.to_ascii_uppercase();
        return if one_case && is_bech32(&lower) { Ok(lower) } else { Err(Reason::CheckDigit) };
    }
    let is_base58 = matches!(bare.as_bytes(), [b'1' | b'3' | b'L' | b'M' | b'D' | b'A' | b'9' | b'T', ..])
        && (26..=35).contains(&bare.len());
    match is_base58.then(|| base58(bare)) {
        None => Ok(Wiped::new(bare.to_owned())),
        Some(None) => Err(Reason::WrongCharacters),
        Some(Some(bytes)) if is_checked(&bytes) => Ok(Wiped::new(bare.to_owned())),
        Some(Some(_)) => Err(Reason::CheckDigit),
    }
}

/// A version byte, twenty bytes and the four of the checksum.
type Decoded = [u8; 25];

fn base58(text: &str) -> Option<Decoded> {
    const LETTERS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut out = [0u8; 25];
    for letter in text.bytes() {
        let mut carry = LETTERS.iter().position(|known| *known == letter)? as u32;
        for byte in out.iter_mut().rev() {
            carry += u32::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
    }
    Some(out)
}

fn is_checked(bytes: &Decoded) -> bool {
    let (body, sum) = bytes.split_at(21);
    Sha256::digest(Sha256::digest(body))[..4] == *sum
}

/// The checksum of BIP 173 or 350 over prefix and data.
fn is_bech32(text: &str) -> bool {
    const LETTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let Some((prefix, data)) = text.rsplit_once('1') else { return false };
    let mut sum = 1u32;
    let mut take = |value: u32| {
        let top = sum >> 25;
        sum = (sum & 0x1ff_ffff) << 5 ^ value;
        for (bit, term) in [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3].into_iter().enumerate() {
            if top >> bit & 1 == 1 {
                sum ^= term;
            }
        }
    };
    prefix.bytes().for_each(|b| take(u32::from(b >> 5)));
    take(0);
    prefix.bytes().for_each(|b| take(u32::from(b & 31)));
    for letter in data.bytes() {
        let Some(value) = LETTERS.iter().position(|known| *known == letter) else { return false };
        take(value as u32);
    }
    data.len() >= 6 && matches!(sum, 1 | 0x2bc8_30a3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, Reason> {
        wallet(text).map(|text| text.to_string())
    }

    #[test]
    fn addresses_with_their_checksums() {
        // The first block's reward, the examples of BIP 173 and 350, and a much printed paper wallet.
        for text in [
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        ] {
            assert_eq!(read(text).as_deref(), Ok(text), "{text}");
        }
        assert_eq!(
            read("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4").as_deref(),
            Ok("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")
        );
        assert_eq!(read("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"), Err(Reason::CheckDigit));
        assert_eq!(read("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN0"), Err(Reason::WrongCharacters));
        assert_eq!(read("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"), Err(Reason::CheckDigit));
    }

    #[test]
    fn schemes_queries_and_other_chains() {
        let base58 = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
        assert_eq!(read(&format!("bitcoin:{base58}?amount=1")).as_deref(), Ok(base58));
        let hex = "0x52908400098527886E0F7030069857D2E4169EE7";
        assert_eq!(read(hex), Ok(hex.to_lowercase()));
        assert_eq!(read("0x52908400098527886E0F7030069857D2E4169EEg"), Err(Reason::WrongCharacters));
        assert!(read("rPdvC6ccq8hCdPKSPJkPmyZ4Mi1oG2FFkT").is_ok());
        assert_eq!(read("abc"), Err(Reason::TooShort));
        assert_eq!(read("not a wallet at all, really"), Err(Reason::WrongCharacters));
    }
}
