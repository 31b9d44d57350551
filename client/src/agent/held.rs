//! What waits until officers have verified a peer: its acts, and what follows them in their cases (R7, R33).
//!
//! The broker takes in acts of every unit that is admitted; this unit relies on a peer only once officers have verified its
//! present keys. Were such an act thrown away, the case would stay behind here for ever: everything after it would be refused
//! by its round. So it is kept, with every later act and limit of the same case, our own included, in the order of the log.
//! When the peer is verified all of it is looked at: under the keys that officers verified, and with the officers who were
//! in standing at its place in the log. What somebody else signed in the peer's name meanwhile does not verify, and goes.
//!
//! Callers: `casework` holds, [`Agent::mark_verified`] folds. *Not here:* parts of parcels; what came of them meanwhile is
//! not taken in, and the parcel falls to its limit.

use super::casework::Moment;
use super::desk::Desk;
use super::event::Event;
use super::link::Link;
use super::store::{Reader, Writer};
use super::{Agent, Incoming, NotTaken};
use protocol::Hash;
use protocol::act::Act;
use protocol::body::Body;
use protocol::envelope::Kind;
use protocol::message::{self, Head};
use protocol::name::UnitName;
use protocol::overlap::Handle;
use zeroize::Zeroizing;

/// Envelopes that wait for one peer's verification at most: no stranger fills the vault.
const MOST: usize = 256;

/// An act or a limit that waits.
pub(super) struct Held {
    entry: u64,
    handle: Handle,
    envelope: Vec<u8>,
    body: Body,
    frames: Vec<Hash>,
}

impl Held {
    fn key(&self, peer: &UnitName) -> String {
        format!("held/{peer}/{:020}", self.entry)
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::new();
        w.u64(self.entry);
        w.bytes(&self.handle.0);
        w.bytes(&self.envelope);
        w.bytes(&self.body.head);
        w.bytes(&self.body.rows);
        w.u64(self.frames.len() as u64);
        self.frames.iter().for_each(|hash| w.bytes(&hash.0));
        w.finish()
    }

    /// What the vault kept.
    pub fn from_bytes(bytes: &[u8]) -> Option<Held> {
        let mut r = Reader::new(bytes);
        let (entry, handle) = (r.u64()?, protocol::Bytes(r.array()?));
        let (envelope, head, rows) = (r.bytes()?.to_vec(), r.bytes()?.to_vec(), r.bytes()?.to_vec());
        let mut frames = Vec::new();
        for _ in 0..r.u64()? {
            frames.push(protocol::Bytes(r.array()?));
        }
        r.at_end().then_some(Held { entry, handle, envelope, body: Body { head, rows }, frames })
    }
}

/// Whether something of this case waits: then what follows waits too.
pub(super) fn is_waiting(link: &Link, handle: &Handle) -> bool {
    link.held.iter().any(|held| held.handle == *handle)
}

/// Keeps an act or a limit until the peer is verified.
pub(super) fn hold(
    link: &mut Link,
    peer: &UnitName,
    handle: Handle,
    incoming: &Incoming<'_>,
    desk: &mut Desk,
) -> Result<(), NotTaken> {
    if link.held.len() >= MOST {
        return Err(NotTaken::NotVerified);
    }
    if !is_waiting(link, &handle) {
        desk.tell(Event::ActHeld(peer.clone(), handle));
    }
    let held = Held {
        entry: incoming.entry,
        handle,
        envelope: incoming.envelope.to_vec(),
        body: incoming.body.clone(),
        frames: incoming.frames.to_vec(),
    };
    desk.put(held.key(peer), held.to_bytes());
    link.held.push(held);
    Ok(())
}

impl Agent {
    /// Officers have verified the peer: what waited is taken in, in the order of the log. What does not hold is told, as if it
    /// came now.
    pub(super) fn fold_held(&mut self, peer: &UnitName) {
        let Some(link) = self.links.get_mut(peer) else { return };
        for held in std::mem::take(&mut link.held) {
            self.desk.delete(held.key(peer));
            let incoming = Incoming {
                position: 0,
                entry: held.entry,
                envelope: &held.envelope,
                body: &held.body,
                frames: &held.frames,
                kept: None,
            };
            let folded = self.verify(&incoming).and_then(|envelope| {
                let officers = self.certified.as_of(held.entry);
                match envelope.header().kind {
                    Kind::Deadline => self.deadline_came(&envelope, &incoming),
                    _ => self.act_came(&envelope, &incoming, Moment::Past(&officers)),
                }
            });
            // An act that does not hold has told so itself; an envelope that does not verify tells here.
            if let Err(error @ (NotTaken::Envelope(_) | NotTaken::NotForUs)) = folded {
                let event = event_of(&held.body.head);
                self.desk.tell(Event::ActRefused(peer.clone(), event, error.code()));
            }
        }
    }
}

fn event_of(head: &[u8]) -> String {
    let act = Act::from_bytes(head).map(|act| act.statement.event);
    act.or_else(|_| message::Deadline::from_bytes(head).map(|_| "timeout".to_owned())).unwrap_or_default()
}
