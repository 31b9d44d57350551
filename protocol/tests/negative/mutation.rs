//! What can be wrong with the encoding of a record (R23): every way to write the same fields otherwise, and fields that
//! are none. Each mutant has the stable name of the error that refuses it.

use minicbor::Decoder;
use minicbor::data::Type;

/// A changed encoding, named after its fault.
pub(crate) struct Mutant {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// `malformed` or `not-canonical`.
    pub(crate) refused: &'static str,
}

const MALFORMED: &str = "malformed";
const NOT_CANONICAL: &str = "not-canonical";
/// Lengths of byte strings that a type fixes; the examples have no others of these lengths.
const FIXED: &[usize] = &[16, 32, 64, 1216];
/// Fields that are enumerators.
const ENUMERATORS: &[&str] = &["role", "kind", "standing", "size", "reason"];

/// The items of a CBOR array of definite length.
pub(crate) fn items(array: &[u8]) -> Vec<&[u8]> {
    let mut decoder = Decoder::new(array);
    let count = decoder.array().unwrap().unwrap();
    let mut take = || {
        let from = decoder.position();
        decoder.skip().unwrap();
        &array[from..decoder.position()]
    };
    (0..count).map(|_| take()).collect()
}

/// The array of these items, however many.
pub(crate) fn array(items: &[&[u8]]) -> Vec<u8> {
    [&head_of(4, items.len() as u64), &items.concat()[..]].concat()
}

/// The shortest head of an item: major type and number.
fn head_of(major: u8, number: u64) -> Vec<u8> {
    let major = major << 5;
    let bytes = number.to_be_bytes();
    match number {
        0..=23 => vec![major | number as u8],
        24..=0xff => vec![major | 24, bytes[7]],
        0x100..=0xffff => [&[major | 25], &bytes[6..]].concat(),
        0x1_0000..=0xffff_ffff => [&[major | 26], &bytes[4..]].concat(),
        _ => [&[major | 27], &bytes[..]].concat(),
    }
}

/// The same item with a longer head than it needs; `None` if there is no longer one.
fn lengthened(item: &[u8]) -> Option<Vec<u8>> {
    let (first, rest) = item.split_first()?;
    let (major, info) = (first & 0xe0, first & 0x1f);
    match info {
        0..=23 => Some([&[major | 24, info], rest].concat()),
        24 => Some([&[major | 25, 0], rest].concat()),
        25 => Some([&[major | 26, 0, 0], rest].concat()),
        26 => Some([&[major | 27, 0, 0, 0, 0], rest].concat()),
        _ => None,
    }
}

/// All mutants of a record, with the names of its fields.
pub(crate) fn mutants(record: &[u8], fields: &[&str]) -> Vec<Mutant> {
    let mut out = Vec::new();
    let mut add = |name: String, bytes: Vec<u8>, refused| out.push(Mutant { name, bytes, refused });
    let all = items(record);
    add("no_bytes".into(), Vec::new(), MALFORMED);
    add("cut_by_one_byte".into(), record[..record.len() - 1].to_vec(), MALFORMED);
    add("trailing_byte".into(), [record, &[0]].concat(), NOT_CANONICAL);
    add("said_twice".into(), [record, record].concat(), NOT_CANONICAL);
    add("tagged".into(), [&[0xc1], record].concat(), MALFORMED);
    add("map_for_array".into(), [&[0xa0], &record[1..]].concat(), MALFORMED);
    add("count_not_in_shortest_form".into(), lengthened(record).unwrap(), NOT_CANONICAL);
    add("array_of_indefinite_length".into(), [&[0x9f], &all.concat()[..], &[0xff]].concat(), NOT_CANONICAL);
    add("count_beyond_the_end".into(), [&head_of(4, u64::MAX), &all.concat()[..]].concat(), MALFORMED);
    add("first_field_missing".into(), array(&all[1..]), MALFORMED);
    let null: &[u8] = &[0xf6];
    let (mut extra, absent) = (all.clone(), fields.len() - all.len());
    if absent > 0 {
        extra.resize(fields.len(), null);
        add("absent_field_written_as_null".into(), array(&extra), NOT_CANONICAL);
    }
    extra.push(&[0]);
    add("extra_field".into(), array(&extra), NOT_CANONICAL);
    for (at, (item, field)) in all.iter().zip(fields).enumerate() {
        let mut put = |fault: &str, with: Vec<u8>, refused| {
            let mut changed = all.clone();
            changed[at] = &with;
            add(format!("{field}_{fault}"), array(&changed), refused);
        };
        put("of_another_type", vec![0xa0], MALFORMED);
        if let Some(longer) = lengthened(item) {
            put("not_in_shortest_form", longer, NOT_CANONICAL);
        }
        let mut decoder = Decoder::new(item);
        match decoder.datatype().unwrap() {
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => {
                put("negative", vec![0x20], MALFORMED);
                put("as_a_float", vec![0xf9, 0, 0], MALFORMED);
                if ENUMERATORS.contains(field) && item.len() == 1 {
                    put("unknown", vec![0x17], MALFORMED);
                }
            }
            Type::Bytes => {
                let bytes = decoder.bytes().unwrap();
                put("of_indefinite_length", [&[0x5f], *item, &[0xff]].concat(), MALFORMED);
                put("as_text", [&[0x60 | (item[0] & 0x1f)], &item[1..]].concat(), MALFORMED);
                if FIXED.contains(&bytes.len()) {
                    let short = &bytes[1..];
                    put("one_byte_short", [&head_of(2, short.len() as u64), short].concat(), MALFORMED);
                    let long = [bytes, &[0]].concat();
                    put("one_byte_long", [head_of(2, long.len() as u64), long].concat(), MALFORMED);
                }
            }
            Type::String => {
                put("of_indefinite_length", [&[0x7f], *item, &[0xff]].concat(), MALFORMED);
                put("not_utf8", vec![0x61, 0xff], MALFORMED);
                put("as_bytes", [&[0x40 | (item[0] & 0x1f)], &item[1..]].concat(), MALFORMED);
            }
            Type::Array => {
                let inner = items(item).concat();
                put("of_indefinite_length", [&[0x9f], &inner[..], &[0xff]].concat(), NOT_CANONICAL);
            }
            other => panic!("no record has a field of type {other}"),
        }
    }
    out
}
