//! What the simulated broker does in cases: it referees acts with the real engine, says when limits have passed, and, where
//! a test wants it so, lets everything pass. *Not here:* mail, and matching.

use super::{Federation, Letter};
use client::agent::Outgoing;
use protocol::act::Act;
use protocol::body::Body;
use protocol::case::Case;
use protocol::envelope::{Header, Kind, Role, seal_envelope};
use protocol::identity::SigningKey;
use protocol::message::{self, Head};
use protocol::name::{Pair, Party, UnitName};
use protocol::{Bytes, label};

impl Federation {
    /// What the broker would refuse of an act, with the real engine; `None`: nothing, or it is no act.
    pub(super) fn referee(&self, sent: &Outgoing) -> Option<&'static str> {
        if sent.envelope.header().kind != Kind::Act || self.lenient {
            return None;
        }
        let act = Act::from_bytes(&sent.body.head).expect("an act");
        self.next_case(&act, self.now_ms).err()
    }

    fn next_case(&self, act: &Act, now_ms: u64) -> Result<Case, &'static str> {
        let said = &act.statement;
        let verified = act.verify(&self.federation, &said.unit, &self.officers).map_err(|e| e.code())?;
        let manual = self.manual.as_ref().ok_or("no-manual")?;
        let pair = Pair::new(&said.low, &said.high).ok_or("act-place")?;
        let fresh = || Case::open(manual, self.federation, said.accord, said.handle, &pair, said.at_ms);
        let case = self.cases.get(&said.handle).cloned().unwrap_or_else(fresh);
        case.check_moment(manual, &verified, now_ms).map_err(|e| e.code())?;
        case.apply(manual, &verified, &self.officers).map_err(|e| e.code())
    }

    /// An act that was accepted moves the referee's case too; a lenient broker lets everything pass.
    pub(super) fn refereed(&mut self, letter: &Letter) {
        let act = Act::from_bytes(&letter.body.head).expect("an act");
        if let Ok(case) = self.next_case(&act, self.now_ms) {
            self.cases.insert(act.statement.handle, case);
        }
    }

    /// The broker says of every case whose state's limit has passed that it has.
    pub(super) fn expire(&mut self) {
        let Some(manual) = self.manual.clone() else { return };
        let late = |case: &Case| case.deadline_ms(&manual).filter(|deadline| *deadline <= self.now_ms);
        let due: Vec<(Case, u64)> = self.cases.values().filter_map(|case| Some((case.clone(), late(case)?))).collect();
        for (case, at_ms) in due {
            self.limit_passed(&case, at_ms);
            self.cases.insert(*case.handle(), case.expire(&manual, at_ms).expect("a limit"));
        }
    }

    /// The broker says that the limit of a case's state has passed, to both.
    pub fn limit_passed(&mut self, case: &Case, at_ms: u64) {
        let [low, high] = case.units().map(Clone::clone);
        let (handle, round) = (*case.handle(), case.round());
        let head = message::Deadline { handle, low: low.clone(), high: high.clone(), round, at_ms };
        let body = Body::head_only(head.to_bytes());
        self.say(Party::Unit(low.clone()), Kind::Deadline, None, 0, body);
        let letter = self.unit(low.as_str()).mailbox.last().cloned().expect("what was said");
        self.unit(high.as_str()).mailbox.push(letter);
    }

    /// A dishonest unit sends an act that its own agent would not make.
    pub fn inject(&mut self, from: &str, to: &str, act: &Act, rows: Vec<u8>) {
        let key = SigningKey::from_secret(&self.unit(from).secret.0);
        self.inject_as(&key, from, to, act, rows);
    }

    /// The same, signed with whatever key.
    pub fn inject_as(&mut self, key: &SigningKey, from: &str, to: &str, act: &Act, rows: Vec<u8>) {
        let (federation, sender) = (self.federation, from.parse::<UnitName>().expect("a name"));
        let unit = self.unit(from);
        unit.sequence += 1;
        let header = Header {
            version: label::VERSION,
            federation,
            accord: Bytes::ZERO,
            epoch: 0,
            tick: 0,
            sender: Party::Unit(sender),
            receiver: Party::Unit(to.parse().expect("a name")),
            role: if act.officer.is_some() { Role::Officer } else { Role::Agent },
            sequence: unit.sequence + 1_000_000,
            previous: Bytes::ZERO,
            kind: Kind::Act,
            expires: 0,
            log_size: 0,
            log_root: Bytes::ZERO,
            body_len: 0,
            body_root: Bytes::ZERO,
        };
        let body = Body { head: act.to_bytes(), rows };
        let envelope = seal_envelope(header, &body, key);
        let letter = Letter { entry: self.entries, envelope: envelope.as_bytes().to_vec(), body, frames: Vec::new() };
        self.entries += 1;
        self.unit(to).mailbox.push(letter);
    }
}
