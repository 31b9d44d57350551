//! The real process, killed at random moments while it takes in envelopes: what it answered is there (R25, R35).

use crate::joining::{Remote, listen};
use crate::scene::{ACCORD, BEGIN, Scene, rng, unit};
use protocol::calendar::Start;
use protocol::codec::{self, Bytes};
use protocol::envelope::Kind;
use protocol::mailbox::{Outcomes, Posted, Submission};
use protocol::message::Count;
use rand_chacha::rand_core::Rng;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ROUNDS: u64 = 8;

fn start(s: &Scene) -> (Child, String) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_sutura-broker"))
        .args(["serve", "--listen", "127.0.0.1:0", "--home"])
        .arg(s.folder.path().join("broker"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let base = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    (process, base)
}

async fn send(remote: &Remote, posted: &Posted) -> Option<Outcomes> {
    let body = codec::encode(&Submission { items: vec![posted.clone()] });
    let answer = remote.client.post(format!("{}/v1/envelopes", remote.base)).body(body).send().await.ok()?;
    codec::decode(&answer.bytes().await.ok()?).ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_broker_answered_is_there_and_nothing_twice() {
    let s = Scene::on_sqlite().await;
    let (mut a, mut b) = {
        let listening = listen(&s);
        (Remote::join(&s, &listening, "A").await, Remote::join(&s, &listening, "B").await)
    };
    let begin = Start { epoch: 1, tick: 0, at_ms: server::now_ms() };
    let accord = protocol::accord::Accord::new(ACCORD, begin).unwrap().hash();
    let proposal = a.actor.propose(ACCORD, begin);
    s.accepted(&mut a.actor, proposal, BEGIN).await;
    for remote in [&mut a, &mut b] {
        let signature = remote.actor.sign_accord(&accord);
        s.accepted(&mut remote.actor, signature, begin.at_ms).await;
        remote.actor.accord = accord;
    }
    let (mut dice, mut answered, mut open) = (rng(4), 0u64, None::<Posted>);
    for _ in 0..ROUNDS {
        let (mut process, base) = start(&s);
        a.base = base;
        let pause = Duration::from_millis(20 + u64::from(dice.next_u32()) % 200);
        let killer = tokio::task::spawn_blocking(move || {
            std::thread::sleep(pause);
            process.kill().unwrap();
            process.wait().unwrap();
        });
        loop {
            let count = Count { request: Bytes([1; 32]), total: answered };
            let posted = open.take().unwrap_or_else(|| a.actor.say(unit("B"), 0, &count, vec![]));
            let Some(outcomes) = send(&a, &posted).await else {
                open = Some(posted);
                break;
            };
            assert_eq!(outcomes.refused, None);
            a.actor.advance(&posted);
            answered += 1;
        }
        killer.await.unwrap();
        let state = s.broker.state(&a.actor.name, 0).await.unwrap();
        assert!([a.actor.sequence, a.actor.sequence + 1].contains(&state.sequence), "lost or invented");
        let counts = s.received(&b.actor, Kind::Count, &a.actor.keys.signing.public()).await;
        assert!([answered, answered + 1].contains(&(counts.len() as u64)), "each once");
    }
    assert!(answered > ROUNDS, "it was killed while at work");
}
