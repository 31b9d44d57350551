//! The guess budget: how many points a unit has evaluated for each peer in each epoch (R13).
//!
//! Caller: the client's agent, which makes the new count durable and logged *before* an answer leaves. Padding counts.
//! *Not here:* how large the quota is ([`crate::accord::Terms::quota`]).

/// Points evaluated for one peer in one epoch. It only grows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Evaluated(u64);

/// A request that would exceed the quota.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[error("{asked} more points would exceed the quota of {quota}: {evaluated} are evaluated already")]
pub struct OverQuota {
    /// Points asked for.
    pub asked: u64,
    /// Points evaluated before.
    pub evaluated: u64,
    /// The quota.
    pub quota: u64,
}

impl Evaluated {
    /// The count that was kept.
    pub fn from_total(total: u64) -> Self {
        Evaluated(total)
    }

    /// Points evaluated so far.
    pub fn total(&self) -> u64 {
        self.0
    }

    /// The count after `asked` more points, if the quota allows them.
    pub fn after(&self, asked: u64, quota: u64) -> Result<Evaluated, OverQuota> {
        match self.0.checked_add(asked) {
            Some(total) if total <= quota => Ok(Evaluated(total)),
            _ => Err(OverQuota { asked, evaluated: self.0, quota }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_one_point_over() {
        let count = Evaluated::default().after(90, 100).unwrap();
        assert_eq!(count.after(10, 100).unwrap().total(), 100);
        assert!(count.after(11, 100).is_err());
        assert!(count.after(u64::MAX, u64::MAX).is_err());
    }
}
