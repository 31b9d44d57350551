//! What people read, in English or in French: the two are equals.
//!
//! Called by commands and by bin/sutura.rs. *Not here:* the texts (client/locales/en.ftl and fr.ftl), and the reasons for
//! refused values, which package `identifier` explains itself.
//!
//! A message says the fact and what to do next. Its key stands in both files with the same variables: a test holds that.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

/// English, in Fluent's syntax.
pub const ENGLISH: &str = include_str!("../locales/en.ftl");
/// French, in Fluent's syntax.
pub const FRENCH: &str = include_str!("../locales/fr.ftl");

/// A language of people.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

impl Language {
    /// Reads `fr`, `fr_SN.UTF-8`, `en`; None for languages that are not spoken here.
    pub fn read(text: &str) -> Option<Language> {
        let text = text.to_ascii_lowercase();
        match text.split(['_', '-', '.', '@', ':']).next() {
            Some("fr") => Some(Language::Fr),
            Some("en") => Some(Language::En),
            _ => None,
        }
    }

    /// The language that was asked for, else that of the first of SUTURA_LANG, LC_ALL, LC_MESSAGES and LANG that says
    /// something; English if none does.
    pub fn choose(asked: Option<&str>, environment: impl Fn(&str) -> Option<String>) -> Language {
        let variables = ["SUTURA_LANG", "LC_ALL", "LC_MESSAGES", "LANG"];
        let said = || variables.into_iter().filter_map(environment).find(|text| !text.is_empty());
        let text = asked.map(str::to_owned).or_else(said);
        text.and_then(|text| Language::read(&text)).unwrap_or_default()
    }
}

impl From<Language> for identifier::Language {
    fn from(language: Language) -> Self {
        match language {
            Language::En => identifier::Language::En,
            Language::Fr => identifier::Language::Fr,
        }
    }
}

/// All messages in one language.
pub struct Messages {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

impl Messages {
    /// The messages of a language.
    pub fn new(language: Language) -> Messages {
        let (text, tag) = match language {
            Language::En => (ENGLISH, "en"),
            Language::Fr => (FRENCH, "fr"),
        };
        let mut bundle = FluentBundle::new_concurrent(tag.parse::<LanguageIdentifier>().into_iter().collect());
        // Terminals show the marks that would isolate Arabic from Latin text as rubbish.
        bundle.set_use_isolating(false);
        // A line that cannot be read is left out; the tests find it.
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource);
        let _ = bundle.add_resource(resource);
        Messages { language, bundle }
    }

    /// Which language this is.
    pub fn language(&self) -> Language {
        self.language
    }

    /// A message without variables.
    pub fn text(&self, key: &str) -> String {
        self.say(key, &[])
    }

    /// A message with its variables.
    pub fn say(&self, key: &str, variables: &[(&'static str, FluentValue<'_>)]) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|message| message.value()) else {
            return format!("[{key}]");
        };
        let args: FluentArgs<'_> = variables.iter().map(|(name, value)| (*name, value.clone())).collect();
        self.bundle.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned()
    }

    /// Whether there is such a message.
    pub fn has(&self, key: &str) -> bool {
        self.bundle.has_message(key)
    }
}

/// Writes a message with its variables: `say!(messages, "import-done", file = name, rows = 3)`.
#[macro_export]
macro_rules! say {
    ($messages:expr, $key:expr $(, $name:ident = $value:expr)* $(,)?) => {
        $messages.say($key, &[$((stringify!($name), fluent_bundle::FluentValue::from($value))),*])
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// Keys and their variables, read without Fluent: what Fluent could not read would be missing there.
    fn keys(text: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut current = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            if !line.starts_with([' ', '}']) {
                let (key, _) = line.split_once(" =").unwrap_or_else(|| panic!("not a message: {line}"));
                current = key.to_owned();
                assert!(keys.insert(current.clone(), BTreeSet::new()).is_none(), "{key} stands twice");
            }
            for piece in line.split('$').skip(1) {
                let name: String = piece.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                keys.entry(current.clone()).or_default().insert(name);
            }
        }
        keys
    }

    #[test]
    fn both_languages_have_the_same_messages_with_the_same_variables() {
        let (english, french) = (keys(ENGLISH), keys(FRENCH));
        let missing = |a: &BTreeMap<String, _>, b: &BTreeMap<String, _>| -> Vec<String> {
            a.keys().filter(|key| !b.contains_key(*key)).cloned().collect()
        };
        assert_eq!(missing(&english, &french), [""; 0], "missing in French");
        assert_eq!(missing(&french, &english), [""; 0], "missing in English");
        assert_eq!(english, french);
    }

    #[test]
    fn every_message_can_be_read_and_written() {
        for (language, text) in [(Language::En, ENGLISH), (Language::Fr, FRENCH)] {
            assert!(FluentResource::try_new(text.to_owned()).is_ok(), "{language:?}");
            let messages = Messages::new(language);
            for (key, variables) in keys(text) {
                assert!(messages.has(&key), "{key}");
                let pattern = messages.bundle.get_message(&key).and_then(|message| message.value()).unwrap();
                let args: FluentArgs<'_> =
                    variables.iter().map(|name| (name.as_str(), FluentValue::from(2_u64))).collect();
                let mut errors = Vec::new();
                messages.bundle.format_pattern(pattern, Some(&args), &mut errors);
                assert!(errors.is_empty(), "{key}: {errors:?}");
            }
        }
    }

    #[test]
    fn the_language_is_what_was_asked_or_what_the_system_speaks() {
        let none = |_: &str| None;
        let system = |name: &str| (name == "LANG").then(|| "fr_SN.UTF-8".to_owned());
        assert_eq!(Language::choose(None, none), Language::En);
        assert_eq!(Language::choose(None, system), Language::Fr);
        assert_eq!(Language::choose(Some("en"), system), Language::En);
        let both = |name: &str| (name == "SUTURA_LANG").then(|| "en".to_owned()).or_else(|| system(name));
        assert_eq!(Language::choose(None, both), Language::En);
        let portuguese = |name: &str| (name == "LANG").then(|| "pt_GW".to_owned());
        assert_eq!(Language::choose(None, portuguese), Language::En);
    }

    #[test]
    fn variables_are_filled_in() {
        let messages = Messages::new(Language::Fr);
        assert!(say!(messages, "error-vault-missing", path = "/home/x").contains("/home/x"));
        assert_eq!(messages.text("no-such-message"), "[no-such-message]");
    }
}
