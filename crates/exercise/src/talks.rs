//! Two units talk about one overlap: officers sign, and the acts go through the broker to both sides (R33).
//!
//! Callers: what follows a match ([`crate::outcomes`]), the misbehaviours, and tests. *Not here:* which act comes next,
//! and what a package holds ([`crate::handover`]).

use crate::federation::Unit;
use crate::officers::Staff;
use anyhow::{Context, Result, ensure};
use client::agent::Prospect;
use protocol::act::{Content, Outcome};
use protocol::manual::Manual;
use protocol::matter::Matter;
use protocol::officer::OfficerRole;
use protocol::overlap::Handle;
use protocol::package::{Category, ContentKind, FieldLine, HandlingCode, InformationCode, Nature, SourceCode};
use std::sync::Arc;

/// One of the two units of an overlap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The first one.
    One,
    /// The other one.
    Other,
}

impl Side {
    /// Both.
    pub const BOTH: [Side; 2] = [Side::One, Side::Other];

    /// The one across the table.
    pub fn peer(self) -> Side {
        match self {
            Side::One => Side::Other,
            Side::Other => Side::One,
        }
    }

    fn at(self) -> usize {
        match self {
            Side::One => 0,
            Side::Other => 1,
        }
    }
}

/// Two units at one table, with their officers.
pub struct Talks<'t> {
    /// The overlap.
    pub handle: Handle,
    units: [&'t mut Unit; 2],
    staffs: [&'t Staff; 2],
}

impl<'t> Talks<'t> {
    /// About the overlap with this handle. Units and officers in the same order.
    pub fn new(handle: Handle, units: [&'t mut Unit; 2], staffs: [&'t Staff; 2]) -> Self {
        Talks { handle, units, staffs }
    }

    /// A unit.
    pub fn unit(&mut self, side: Side) -> &mut Unit {
        self.units[side.at()]
    }

    /// Its officers.
    pub fn staff(&self, side: Side) -> &'t Staff {
        self.staffs[side.at()]
    }

    /// The case as a unit sees it.
    pub fn prospect(&self, side: Side) -> Result<Prospect> {
        Ok(self.units[side.at()].session.prospect(&self.handle)?)
    }

    /// The manual by which they act.
    pub fn manual(&self) -> Result<Arc<Manual>> {
        Ok(self.prospect(Side::One)?.manual)
    }

    /// The state of the case, in the manual's word. Both sides must see the same.
    pub fn state(&self) -> Result<String> {
        let [one, other] = [self.prospect(Side::One)?, self.prospect(Side::Other)?];
        // Before its first act a case has no moment, and each side would open it at its own.
        ensure!(!one.is_open || one.case == other.case, "the two sides see different cases");
        Ok(one.manual.state(one.case.state()).id.clone())
    }

    /// An officer acts; the act goes through the broker's log into both mailboxes, and is folded there.
    pub async fn act(
        &mut self,
        side: Side,
        role: OfficerRole,
        event: &str,
        content: Content,
        fill: impl FnOnce(&mut Matter),
    ) -> Result<()> {
        let officer = self.staffs[side.at()].of(role)?;
        let unit = &mut *self.units[side.at()];
        let mut matter = unit.session.matter();
        fill(&mut matter);
        let signed = Box::pin(unit.session.sign_act(officer.signatory(), &self.handle, event, content, matter)).await;
        signed.with_context(|| format!("{}, {role}: {event}", unit.name))?;
        self.carry(side).await
    }

    /// An act that carries nothing.
    pub async fn plain(&mut self, side: Side, role: OfficerRole, event: &str) -> Result<()> {
        self.act(side, role, event, Content::Nothing, |_| {}).await
    }

    /// Both units do the same.
    pub async fn both(&mut self, role: OfficerRole, event: &str) -> Result<()> {
        for side in Side::BOTH {
            self.plain(side, role, event).await?;
        }
        Ok(())
    }

    /// An act with a code of the manual's reasons, and a word.
    pub async fn because(
        &mut self,
        side: Side,
        role: OfficerRole,
        event: &str,
        content: Content,
        (reason, note): (&str, &str),
    ) -> Result<()> {
        let fill = |matter: &mut Matter| {
            matter.reason = Some(reason.to_owned());
            matter.note = Some(note.to_owned());
        };
        self.act(side, role, event, content, fill).await
    }

    /// What `side` has said reaches both, and what the other's agent answers by itself.
    pub async fn carry(&mut self, side: Side) -> Result<()> {
        // On the heap: talks are deep, and a worker's stack is small.
        Box::pin(self.unit(side).sync()).await?;
        Box::pin(self.unit(side.peer()).sync()).await
    }

    /// Both units acknowledge the overlap and find that they mean the same subject.
    pub async fn begin(&mut self) -> Result<()> {
        self.both(OfficerRole::Investigator, "acknowledge").await?;
        self.both(OfficerRole::Investigator, "same").await
    }

    /// `side` proposes, and the other side's head agrees.
    pub async fn agree(&mut self, side: Side, outcome: Outcome, provider: Option<Side>, fields: &[&str]) -> Result<()> {
        let provider = provider.map(|provider| self.units[provider.at()].name.clone());
        let lines = fields.iter().map(|name| field(name, ContentKind::Text)).collect();
        let offer = Content::Offer(outcome, provider);
        self.act(side, OfficerRole::Investigator, "propose", offer, |matter| matter.fields = lines).await?;
        self.plain(side.peer(), OfficerRole::Head, "accept").await
    }
}

/// A field of the exercise's packages: about a suspect, from a source beyond doubt, not for a court without asking.
pub fn field(name: &str, kind: ContentKind) -> FieldLine {
    FieldLine {
        name: name.to_owned(),
        category: Category::Suspect,
        handling: vec![HandlingCode::H1],
        restriction: None,
        source: SourceCode::A,
        information: InformationCode::One,
        nature: Nature::Fact,
        necessity: "To identify the organiser of the transports".to_owned(),
        kind,
    }
}
