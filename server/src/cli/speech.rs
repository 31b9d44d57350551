//! What people read, in English or in French: the two are equals (`locales/en.ftl`, `locales/fr.ftl`).
//!
//! Callers: the commands. *Not here:* help texts, which are English, and errors of the library, which keep their words.

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};
use unic_langid::LanguageIdentifier;

const ENGLISH: &str = include_str!("../../locales/en.ftl");
const FRENCH: &str = include_str!("../../locales/fr.ftl");

/// All messages in one language.
pub struct Speech(FluentBundle<FluentResource>);

impl Speech {
    /// The language that was asked for, else that of the first of SUTURA_LANG, LC_ALL, LC_MESSAGES and LANG that says
    /// something; English if none does.
    pub fn choose(asked: Option<&str>, environment: impl Fn(&str) -> Option<String>) -> Speech {
        let variables = ["SUTURA_LANG", "LC_ALL", "LC_MESSAGES", "LANG"];
        let said = || variables.into_iter().filter_map(environment).find(|text| !text.is_empty());
        let text = asked.map(str::to_owned).or_else(said).unwrap_or_default().to_ascii_lowercase();
        if text.starts_with("fr") { Speech::new("fr", FRENCH) } else { Speech::new("en", ENGLISH) }
    }

    fn new(language: &str, text: &str) -> Speech {
        let language: LanguageIdentifier = language.parse().unwrap_or_default();
        let mut bundle = FluentBundle::new(vec![language]);
        // Names of units and files stand as they are: no marks around them in a terminal.
        bundle.set_use_isolating(false);
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource);
        let _ = bundle.add_resource(resource);
        Speech(bundle)
    }

    /// A message with its variables.
    pub fn say(&self, name: &str, values: &[(&str, &str)]) -> String {
        let Some(pattern) = self.0.get_message(name).and_then(|message| message.value()) else {
            return name.to_owned();
        };
        let args: FluentArgs<'_> = values.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.0.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same_things_with_the_same_variables() {
        let read = |text: &str| {
            let mut lines: Vec<(String, Vec<String>)> = text
                .lines()
                .filter(|line| !line.starts_with('#'))
                .filter_map(|line| line.split_once(" = "))
                .map(|(name, words)| {
                    let mut variables: Vec<String> = words
                        .split("{ $")
                        .skip(1)
                        .filter_map(|rest| rest.split(' ').next())
                        .map(str::to_owned)
                        .collect();
                    variables.sort();
                    variables.dedup();
                    (name.to_owned(), variables)
                })
                .collect();
            lines.sort();
            lines
        };
        assert_eq!(read(ENGLISH), read(FRENCH));
    }

    #[test]
    fn the_language_is_the_one_that_was_asked_for() {
        let french = |name: &str| (name == "LANG").then(|| "fr_SN.UTF-8".to_owned());
        assert_eq!(Speech::choose(None, french).say("none", &[]), "aucun");
        assert_eq!(Speech::choose(Some("en"), french).say("none", &[]), "none");
        assert!(Speech::choose(None, |_| None).say("waiting", &[("unit", "SN")]).contains("SN"));
    }
}
