//! Which backend a process uses, and why: asked of the processor once, and of the environment.

use std::env;
use std::fmt;
use std::sync::OnceLock;

use crate::Backend;

/// The environment variable that names a backend: `dalek` or `avx512ifma`.
pub const VARIABLE: &str = "SUTURA_LANES";

/// The backend that a process computes with, and why that one.
///
/// By default it is the fastest that the processor has. An operator who wants the plain one, or a test, sets
/// `SUTURA_LANES=dalek`. A name that is none, or of a backend that this processor lacks, changes nothing: the process
/// computes as by default, and `because` says so, for whoever shows it (`sutura doctor`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The backend.
    pub backend: Backend,
    /// Why.
    pub because: Because,
}

/// Why a backend was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// It is the fastest that the processor has.
    Fastest,
    /// The environment names it.
    Named,
    /// The environment names a backend that this processor has not, or no backend at all: the fastest is used.
    NotAvailable(String),
}

/// The choice of this process. The environment is read at the first call, and never again.
pub fn choice() -> &'static Choice {
    static CHOICE: OnceLock<Choice> = OnceLock::new();
    CHOICE.get_or_init(|| Choice::by(env::var_os(VARIABLE).map(|name| name.to_string_lossy().into_owned())))
}

impl Choice {
    /// The choice for a value of the environment variable; an empty one counts as none.
    fn by(name: Option<String>) -> Self {
        let available = Backend::available();
        let fastest = available.first().copied().unwrap_or(Backend::dalek());
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return Choice { backend: fastest, because: Because::Fastest };
        };
        match available.iter().find(|backend| backend.name() == name) {
            Some(backend) => Choice { backend: *backend, because: Because::Named },
            None => Choice { backend: fastest, because: Because::NotAvailable(name) },
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.because {
            Because::Fastest => write!(f, "{}, the fastest on this processor", self.backend),
            Because::Named => write!(f, "{}, as {VARIABLE} says", self.backend),
            Because::NotAvailable(name) => {
                write!(f, "{}; {VARIABLE} says {name:?}, which is not available here", self.backend)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_unless_named() {
        let fastest = Backend::available()[0];
        for nothing in [None, Some(String::new())] {
            assert_eq!(Choice::by(nothing), Choice { backend: fastest, because: Because::Fastest });
        }
        let plain = Choice::by(Some("dalek".into()));
        assert_eq!(plain, Choice { backend: Backend::dalek(), because: Because::Named });
        assert_eq!(plain.to_string(), "dalek, as SUTURA_LANES says");
        for backend in Backend::available() {
            assert_eq!(Choice::by(Some(backend.name().into())).backend, backend);
        }
    }

    #[test]
    fn a_wrong_name_changes_nothing_and_is_told() {
        for wrong in ["model", "DALEK", "avx2", " dalek"] {
            let choice = Choice::by(Some(wrong.into()));
            assert_eq!(choice.backend, Backend::available()[0]);
            assert_eq!(choice.because, Because::NotAvailable(wrong.into()));
            assert!(choice.to_string().contains("not available here"), "{choice}");
        }
    }
}
