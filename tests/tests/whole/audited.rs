//! The audit of the exercise, on somebody else's machine: from the bundles' bytes alone.

use client::audit::{SignedBundle, verify};
use exercise::options::Options;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Random changes of the bundles, each of which must be found.
const CHANGES: usize = 1_000;

fn is_sound(file: &[u8]) -> bool {
    SignedBundle::decode(file).is_ok_and(|bundle| verify(&bundle).verified)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_elsewhere_finds_all_that_happened_and_every_change() {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().join("kept");
    let options = Options { seed: 5, records: 12, keep: Some(keep.clone()), ..Options::default() };
    // The story checks that every disclosure, and no other, stands in the bundles of both its units.
    assert!(exercise::story::run(options).await.unwrap(), "all checks hold");
    let mut bundles = Vec::new();
    for entry in std::fs::read_dir(keep.join("audit")).unwrap() {
        bundles.push(std::fs::read(entry.unwrap().path()).unwrap());
    }
    assert_eq!(bundles.len(), 7);
    assert!(bundles.iter().all(|bundle| is_sound(bundle)), "the control: nothing was changed");
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let mut draw = |below: usize| (rng.next_u64() % below as u64) as usize;
    for n in 0..CHANGES {
        let mut file = bundles[n % bundles.len()].clone();
        let at = draw(file.len());
        match n % 4 {
            0 => file[at] ^= 1 << draw(8),
            1 => file[at] = file[at].wrapping_add(1 + draw(255) as u8),
            2 => drop(file.remove(at)),
            _ => file.truncate(at),
        }
        assert!(!is_sound(&file), "change {n} at {at}");
    }
}
