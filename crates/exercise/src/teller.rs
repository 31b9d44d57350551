//! Speaks to people while the exercise runs, in English or French.
//!
//! Callers: everything that has something to say. *Not here:* what is said.

use crate::options::Options;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Instant;

/// The two languages of the story.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// French.
    Fr,
}

/// Speaks to people, on standard error.
pub struct Teller {
    language: Language,
    bar: ProgressBar,
    began: Instant,
}

impl Teller {
    /// In the language of the options, or of the environment.
    pub fn new(options: &Options) -> Teller {
        let asked = options.lang.clone();
        let from = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let language = asked
            .or_else(|| ["SUTURA_LANG", "LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| from(name)))
            .is_some_and(|value| value.to_ascii_lowercase().starts_with("fr"));
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        let language = if language { Language::Fr } else { Language::En };
        Teller { language, bar, began: Instant::now() }
    }

    /// One of two texts.
    pub fn text<'t>(&self, en: &'t str, fr: &'t str) -> &'t str {
        match self.language {
            Language::En => en,
            Language::Fr => fr,
        }
    }

    /// A line that stays.
    pub fn say(&self, en: &str, fr: &str) {
        let line = format!("{:6.1} s  {}", self.began.elapsed().as_secs_f64(), self.text(en, fr));
        self.bar.suspend(|| anstream::eprintln!("{line}"));
    }

    /// What is being done, where a terminal can show it.
    pub fn doing(&self, en: &str, fr: &str) {
        self.bar.set_message(self.text(en, fr).to_owned());
        self.bar.tick();
    }
}
