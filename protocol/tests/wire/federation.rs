//! A federation with fixed keys: two units and a broker, one accord, one pair secret. Everything is drawn from one
//! seed, so that it is the same in every run.
#![allow(dead_code, reason = "each test uses its own part")]

use protocol::Hash;
use protocol::accord::Accord;
use protocol::calendar::Start;
use protocol::identity::{SigningKey, UnitKeys, federation_id};
use protocol::name::{Pair, UnitName};
use protocol::psi::PairSecret;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

/// What the federation is called.
pub(crate) const NAME: &str = "Exercise";
/// What GM signs when it joins.
pub(crate) const TITLE: &str = "The Gambia — National Agency Against Trafficking in Persons";

/// The text of the accord, with small sizes so that vectors are small.
pub(crate) const ACCORD: &str = r#"title = "Exercise accord"

[ticks]
tick_ms = 60000
epoch_ticks = 1000
grace_ticks = 20

[requests]
opening_max = 512
bulk_max = 256
small = 16
every = 2

[tag_sets]
small = 4
delay = 3

[acknowledgements]
slots = 4
patience_ticks = 20

[canaries]
count = 2
window_ticks = 8

[identifiers]
version = 1
"#;

pub(crate) struct Federation {
    pub(crate) id: Hash,
    pub(crate) broker: SigningKey,
    pub(crate) gm: UnitName,
    pub(crate) gm_keys: UnitKeys,
    pub(crate) sn: UnitName,
    pub(crate) sn_keys: UnitKeys,
    pub(crate) pair: Pair,
    pub(crate) accord: Accord,
    pub(crate) secret: PairSecret,
}

impl Federation {
    pub(crate) fn new() -> Self {
        let mut rng = rng(23);
        let broker = SigningKey::generate(&mut rng);
        let (gm_keys, sn_keys) = (UnitKeys::generate(&mut rng), UnitKeys::generate(&mut rng));
        let (gm, sn): (UnitName, UnitName) = ("GM".parse().unwrap(), "SN".parse().unwrap());
        let mut secret = [0; 64];
        rng.fill_bytes(&mut secret);
        Federation {
            id: federation_id(NAME, &broker.public()),
            pair: Pair::new(&gm, &sn).unwrap(),
            accord: Accord::new(ACCORD, start()).unwrap(),
            secret: PairSecret::from_secret(&secret),
            broker,
            gm,
            gm_keys,
            sn,
            sn_keys,
        }
    }

    /// The keys, for a file of vectors. Of a test: never used anywhere.
    pub(crate) fn plain(&self) -> Value {
        let unit = |name: &UnitName, keys: &UnitKeys| {
            json!({
                "name": name.as_str(),
                "signing_secret": hex::encode(*keys.signing.expose_secret()),
                "signing": keys.signing.public().to_string(),
                "sealing_secret": hex::encode(*keys.sealing.expose_secret()),
                "sealing": keys.sealing.public().to_string(),
            })
        };
        json!({
            "name": NAME,
            "id": self.id.to_string(),
            "broker": {
                "signing_secret": hex::encode(*self.broker.expose_secret()),
                "signing": self.broker.public().to_string(),
            },
            "units": [unit(&self.gm, &self.gm_keys), unit(&self.sn, &self.sn_keys)],
        })
    }
}

/// From where the accord counts.
pub(crate) fn start() -> Start {
    Start { epoch: 1, tick: 0, at_ms: 1_790_000_000_000 }
}

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}
