//! Tests: what the compiler made of the kernels has no jump and no address that depends on a secret.
//!
//! The code of each kernel that handles secrets is read back from this very program with `objdump`. Secrets live in
//! vector and mask registers, and in what vectors were stored to. A general register is *tainted* once it takes a value
//! from there, and so is what is computed from it. Then no conditional jump may follow from tainted flags, no address
//! may have a tainted part, and a gather or scatter must take its places from a constant. The scan is by the order of
//! the text, twice over, so that what a loop carries round is seen; it follows no jumps.
//!
//! Two planted kernels, one that leaks by an address and one by a jump, must be found.

#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::collections::HashSet;
use std::process::Command;

use super::batch::{Load, MultiplyVectors, Store};
use super::edwards::{Add, Double};
use super::encode::{Encode, EncodeDoubled};
use super::field::{Multiplicand, Reduced};
use super::fixed::{AddEntry, AddMultiples};
use super::ifma::{Ifma, address_of};
use super::map::Map;
use super::multiply::{Multiply, Select};
use super::planted::{ByAddress, ByJump};
use super::power::{MultiplyAll, SquareTimes};

/// The instructions of the function at this address of this process, operands in Intel's order.
fn instructions(address: usize) -> Option<Vec<String>> {
    let program = std::env::current_exe().ok()?;
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let first = maps.lines().find(|line| line.ends_with(&*program.to_string_lossy()))?;
    let base = usize::from_str_radix(first.split('-').next()?, 16).ok()?;
    let start = address - base;
    let output = Command::new("objdump")
        .args(["-d", "--no-show-raw-insn", "-M", "intel"])
        .args([format!("--start-address={start:#x}"), format!("--stop-address={:#x}", start + (1 << 18))])
        .arg(&program)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut lines = text.lines().skip_while(|line| !line.ends_with(">:"));
    let name = lines.next()?;
    assert!(name.contains("with_instructions"), "no kernel stands there: {name}");
    let body = lines.take_while(|line| !line.ends_with(">:"));
    Some(body.filter_map(|line| line.split_once(":\t").map(|(_, text)| text.trim().to_owned())).collect())
}

/// The 64-bit name of a general register, if it is one.
fn general(name: &str) -> Option<String> {
    let legacy = ["ax", "bx", "cx", "dx", "si", "di", "bp", "sp"];
    let bare = name.trim_start_matches(['r', 'e']);
    if let Some(found) = legacy.iter().find(|legacy| **legacy == bare) {
        return Some(format!("r{found}"));
    }
    let low = match name {
        "al" | "ah" => "rax",
        "bl" | "bh" => "rbx",
        "cl" | "ch" => "rcx",
        "dl" | "dh" => "rdx",
        "sil" => "rsi",
        "dil" => "rdi",
        "bpl" => "rbp",
        _ => "",
    };
    if !low.is_empty() {
        return Some(low.to_owned());
    }
    let digits = name.strip_prefix('r')?.trim_end_matches(['d', 'w', 'b']);
    digits.parse::<u8>().ok().map(|number| format!("r{number}"))
}

/// The bytes of the stack that an operand names by a constant: from where, and how many.
fn stack_slot(operand: &str) -> Option<(i64, i64)> {
    let (size, address) = operand.split_once(" PTR [")?;
    let address = address.split(']').next()?.strip_prefix("rsp")?;
    let size = match size {
        "BYTE" => 1,
        "WORD" => 2,
        "DWORD" => 4,
        "QWORD" => 8,
        "XMMWORD" => 16,
        "YMMWORD" => 32,
        _ => 64,
    };
    let offset = match address.strip_prefix("+0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok()?,
        None => 0,
    };
    Some((offset, size))
}

/// Operands, split at the commas outside brackets.
fn operands(text: &str) -> Vec<&str> {
    text.split_once(char::is_whitespace)
        .map(|(_, rest)| rest.split(" #").next().unwrap_or(rest).split(',').map(str::trim).collect())
        .unwrap_or_default()
}

/// The general registers that an operand's address is made of.
fn address_registers(operand: &str) -> Vec<String> {
    let Some((_, address)) = operand.split_once('[') else { return Vec::new() };
    address.split(['+', '-', '*', ']']).filter_map(general).collect()
}

/// What is wrong with a kernel, as instructions.
///
/// A *small* kernel gets pointers and vectors only: so what it reads from memory into a general register may be an
/// address as it is, but once it is cut, shifted, scaled or read in part, it counts as tainted.
fn leaks(instructions: &[String], small: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut tainted: HashSet<String> = HashSet::new();
    let mut constant: HashSet<String> = HashSet::new();
    let mut stack: HashSet<i64> = HashSet::new();
    let mut read: HashSet<String> = HashSet::new();
    let mut flags = false;
    for text in instructions.iter().chain(instructions) {
        let mnemonic = text.split_whitespace().next().unwrap_or_default();
        // room between instructions, however it is written: it has an address and reads nothing
        if text.split_whitespace().any(|word| word == "nop" || word == "nopw" || word == "nopl") {
            continue;
        }
        let operands = operands(text);
        let is_vector = |operand: &str| {
            ["xmm", "ymm", "zmm"].iter().any(|kind| operand.starts_with(kind))
                || operand.strip_prefix('k').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        // addresses
        let leaky = operands.iter().any(|operand| address_registers(operand).iter().any(|r| tainted.contains(r)));
        if leaky && mnemonic != "lea" {
            found.push(text.clone());
        }
        if mnemonic.contains("gather") || mnemonic.contains("scatter") {
            let index = operands.iter().find_map(|operand| {
                operand.split(['[', '+', '*', ']']).find(|part| is_vector(part) && part.contains("mm"))
            });
            if !index.is_some_and(|index| constant.contains(&index[1..])) {
                found.push(text.clone());
            }
        }
        // a function that is given an address
        let leaves = mnemonic == "call" || mnemonic == "jmp" && text.contains("[rip");
        if small && leaves && ["rdi", "rsi", "rdx"].iter().any(|register| tainted.contains(*register)) {
            found.push(text.clone());
        }
        // jumps
        if mnemonic.starts_with('j') && mnemonic != "jmp" {
            if flags {
                found.push(text.clone());
            }
            continue;
        }
        if mnemonic.starts_with("kortest") || mnemonic.starts_with("ktest") || mnemonic.contains("ptest") {
            flags = true;
            continue;
        }
        // what a source brings
        let from = |operand: &str| {
            let slot = stack_slot(operand);
            is_vector(operand)
                || general(operand).is_some_and(|register| tainted.contains(&register))
                || slot.is_some_and(|(start, size)| (start..start + size).any(|byte| stack.contains(&byte)))
                || mnemonic == "lea" && address_registers(operand).iter().any(|r| tainted.contains(r))
        };
        let brings = operands.iter().skip(1).any(|operand| from(operand));
        let Some(&to) = operands.first() else { continue };
        if ["cmp", "test", "bt"].contains(&mnemonic) {
            flags = brings || from(to);
            continue;
        }
        if mnemonic == "call" {
            tainted.remove("rax");
            continue;
        }
        let copies = mnemonic.starts_with("mov") || mnemonic.contains("mov") || ["lea", "pop"].contains(&mnemonic);
        let clears = mnemonic == "xor" && operands.len() == 2 && operands[0] == operands[1];
        let value = !clears && (brings || (!copies && from(to)) || (mnemonic.starts_with("set") && flags))
            || mnemonic.starts_with("cmov") && flags;
        let arithmetic = ["add", "sub", "and", "or", "xor", "inc", "dec", "neg", "shl", "shr", "sar", "adc", "sbb"];
        if arithmetic.contains(&mnemonic) {
            flags = value;
        }
        if let Some(register) = general(to) {
            let was_read = read.contains(&register)
                || operands.iter().skip(1).any(|operand| general(operand).is_some_and(|from| read.contains(&from)));
            let cuts = ["and", "or", "xor", "shl", "shr", "sar", "imul", "movzx", "movsxd", "lea"];
            let value = value
                || small && cuts.contains(&mnemonic) && !clears && was_read && !text.contains("rsp")
                || small && ["movzx", "movsx"].contains(&mnemonic) && text.contains('[');
            if mnemonic == "mov" && to != "rsp" && operands.get(1).is_some_and(|from| from.contains('[')) {
                read.insert(register.clone());
            } else if mnemonic == "mov" && !was_read {
                read.remove(&register);
            }
            if value {
                tainted.insert(register)
            } else {
                tainted.remove(&register)
            };
        } else if let Some((start, size)) = stack_slot(to) {
            for byte in start..start + size {
                if value {
                    stack.insert(byte)
                } else {
                    stack.remove(&byte)
                };
            }
        } else if is_vector(to) && to.contains("mm") {
            let register = to[1..].split('{').next().unwrap_or_default().to_owned();
            let from_constant = copies && operands.iter().skip(1).all(|operand| operand.contains("[rip"));
            if from_constant {
                constant.insert(register)
            } else {
                constant.remove(&register)
            };
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Kernels that also read lengths and bytes, see [`leaks`].
const LARGE: [&str; 11] = [
    "AddMultiples",
    "Multiply",
    "MultiplyVectors",
    "EncodeDoubled",
    "Encode<1>",
    "Encode<4>",
    "Map<2>",
    "Map<4>",
    "Load",
    "Store",
    "ByJump",
];

/// Each kernel with what is wrong with it; nothing where `objdump` is not there.
fn verdicts(kernels: &[(&'static str, usize)]) -> Option<Vec<(&'static str, usize, Vec<String>)>> {
    let there = Command::new("objdump").arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        assert!(std::env::var_os("CI").is_none(), "objdump is not there: the kernels' code can't be checked");
        eprintln!("NOT CHECKED: objdump is not there, so nobody looks at the kernels' code");
        return None;
    }
    let verdict = |(name, address): &(&'static str, usize)| {
        let code = instructions(*address).expect("the code of a kernel can be read");
        assert!(code.len() > 5, "{name} has {} instructions", code.len());
        let small = !LARGE.contains(name);
        (*name, code.len(), leaks(&code, small))
    };
    Some(kernels.iter().map(verdict).collect())
}

#[test]
fn no_kernel_jumps_or_reads_by_a_secret() {
    let kernels = [
        ("SquareTimes<1>", address_of::<SquareTimes<'_, Ifma, 1>>()),
        ("SquareTimes<4>", address_of::<SquareTimes<'_, Ifma, 4>>()),
        ("MultiplyAll<1>", address_of::<MultiplyAll<'_, Ifma, 1>>()),
        ("MultiplyAll<4>", address_of::<MultiplyAll<'_, Ifma, 4>>()),
        ("Double<false>", address_of::<Double<'_, Ifma, false>>()),
        ("Double<true>", address_of::<Double<'_, Ifma, true>>()),
        ("Add<true>", address_of::<Add<'_, Ifma, Reduced<Ifma>, true>>()),
        ("Add of a selected one<false>", address_of::<Add<'_, Ifma, Multiplicand<Ifma>, false>>()),
        ("Add of a selected one<true>", address_of::<Add<'_, Ifma, Multiplicand<Ifma>, true>>()),
        ("Select", address_of::<Select<'_, Ifma>>()),
        ("Multiply", address_of::<Multiply<'_, Ifma>>()),
        ("MultiplyVectors", address_of::<MultiplyVectors<'_, Ifma>>()),
        ("AddEntry", address_of::<AddEntry<'_, Ifma>>()),
        ("AddMultiples", address_of::<AddMultiples<'_, Ifma>>()),
        ("EncodeDoubled", address_of::<EncodeDoubled<'_, Ifma>>()),
        ("Encode<1>", address_of::<Encode<'_, Ifma, 1>>()),
        ("Encode<4>", address_of::<Encode<'_, Ifma, 4>>()),
        ("Map<2>", address_of::<Map<'_, Ifma, 2>>()),
        ("Map<4>", address_of::<Map<'_, Ifma, 4>>()),
        ("Load", address_of::<Load<'_, Ifma>>()),
        ("Store", address_of::<Store<'_, Ifma>>()),
    ];
    for (name, length, leaks) in verdicts(&kernels).unwrap_or_default() {
        println!("{name}: {length} instructions");
        assert!(leaks.is_empty(), "{name}: {leaks:#?}");
    }
}

#[test]
fn planted_leaks_are_seen() {
    let kernels = [("ByAddress", address_of::<ByAddress<'_, Ifma>>()), ("ByJump", address_of::<ByJump<'_, Ifma>>())];
    for (name, _, leaks) in verdicts(&kernels).unwrap_or_default() {
        assert!(!leaks.is_empty(), "{name} leaks, and nothing was seen");
    }
}
