//! The text of a package, as officers write it: TOML, read with suspicion.
//!
//! It may come from a colleague by mail: it attaches files of its own folder and below only, and takes cells of the one
//! record that the overlap is about. Caller: `pack`. *Not here:* whether the package is within its limits
//! ([`protocol::package::Manifest::check`]).

use super::words::word;
use crate::language::Messages;
use crate::register::StoredCell;
use crate::say;
use crate::session::{DraftContent, DraftItem};
use crate::terminal::printable;
use protocol::package::{
    Category, ContentKind, FieldLine, HandlingCode, InformationCode, MAX_ITEMS, Nature, Purpose, SourceCode,
};
use serde::Deserialize;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

/// The longest text of a package, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Why the text of a package is refused. Items are counted from 1, as people do.
#[derive(Debug, PartialEq, Eq)]
pub enum PackageFileError {
    /// The system does not read it.
    Unreadable(String),
    /// Longer than [`MAX_FILE`], or too many items.
    TooLarge,
    /// Not this TOML.
    Text(String),
    /// A word that is none of those that fit.
    Word { item: usize, what: &'static str, word: String, words: &'static str },
    /// Nothing, or more than one, of field, text and file.
    Content { item: usize },
    /// `as` without a file.
    As { item: usize },
    /// The record has no such cell, or several.
    Field { item: usize, field: String },
    /// A file that does not lie in the folder of the text, or is none.
    File { item: usize, file: String },
}

impl PackageFileError {
    /// In words.
    pub fn tell(&self, messages: &Messages) -> String {
        match self {
            PackageFileError::Unreadable(why) => say!(messages, "pack-unreadable", why = why.as_str()),
            PackageFileError::TooLarge => messages.text("pack-too-large"),
            PackageFileError::Text(why) => say!(messages, "pack-text", why = printable(why)),
            PackageFileError::Word { item, what, word: found, words } => say!(
                messages,
                "pack-word",
                item = *item,
                what = word("pack", &what.replace(' ', "-"), messages),
                word = printable(found),
                words = *words
            ),
            PackageFileError::Content { item } => say!(messages, "pack-content", item = *item),
            PackageFileError::As { item } => say!(messages, "pack-as", item = *item),
            PackageFileError::Field { item, field } => {
                say!(messages, "pack-field", item = *item, field = printable(field))
            }
            PackageFileError::File { item, file } => say!(messages, "pack-file", item = *item, file = printable(file)),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    purpose: PurposeText,
    #[serde(default)]
    item: Vec<ItemText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PurposeText {
    text: String,
    offence: String,
    legal_basis: String,
    reference: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemText {
    name: String,
    category: String,
    handling: Vec<String>,
    restriction: Option<String>,
    source: String,
    information: String,
    nature: String,
    necessity: String,
    field: Option<String>,
    text: Option<String>,
    file: Option<PathBuf>,
    r#as: Option<String>,
}

/// Reads a package's text; `cells` are those of the own record.
pub fn read(path: &Path, cells: &[StoredCell]) -> Result<(Purpose, Vec<DraftItem>), PackageFileError> {
    let unreadable = |error: std::io::Error| PackageFileError::Unreadable(error.to_string());
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    // One byte more than allowed tells a file that is too long, whatever its length was said to be.
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_FILE {
        return Err(PackageFileError::TooLarge);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    parse(&text, folder, cells)
}

fn parse(text: &str, folder: &Path, cells: &[StoredCell]) -> Result<(Purpose, Vec<DraftItem>), PackageFileError> {
    let text: Text = toml::from_str(text).map_err(|error| PackageFileError::Text(error.message().to_owned()))?;
    if text.item.len() > MAX_ITEMS {
        return Err(PackageFileError::TooLarge);
    }
    let PurposeText { text: words, offence, legal_basis, reference } = text.purpose;
    let purpose = Purpose { text: words, offence, legal_basis, reference };
    let items = text.item.into_iter().enumerate().map(|(at, item)| read_item(at + 1, item, folder, cells));
    Ok((purpose, items.collect::<Result<_, _>>()?))
}

fn read_item(at: usize, item: ItemText, folder: &Path, cells: &[StoredCell]) -> Result<DraftItem, PackageFileError> {
    let mut handling: Vec<HandlingCode> =
        item.handling.iter().map(|code| in_words(at, code)).collect::<Result<_, _>>()?;
    // The order in which people write codes means nothing.
    handling.sort_unstable();
    handling.dedup();
    if item.r#as.is_some() && item.file.is_none() {
        return Err(PackageFileError::As { item: at });
    }
    let content = match (item.field, item.text, item.file) {
        (Some(field), None, None) => DraftContent::Text(cell(at, &field, cells)?),
        (None, Some(text), None) => DraftContent::Text(text),
        (None, None, Some(file)) => {
            let path = inside(folder, &file).ok_or_else(|| file_error(at, &file))?;
            let own = file.file_name().and_then(|name| name.to_str()).map(str::to_owned);
            DraftContent::File(path, item.r#as.or(own).ok_or_else(|| file_error(at, &file))?)
        }
        _ => return Err(PackageFileError::Content { item: at }),
    };
    let kind = match content {
        DraftContent::Text(_) => ContentKind::Text,
        DraftContent::File(..) => ContentKind::File,
    };
    let line = FieldLine {
        name: item.name,
        category: in_words::<Category>(at, &item.category)?,
        handling,
        restriction: item.restriction,
        source: in_words::<SourceCode>(at, &item.source)?,
        information: in_words::<InformationCode>(at, &item.information)?,
        nature: in_words::<Nature>(at, &item.nature)?,
        necessity: item.necessity,
        kind,
    };
    Ok(DraftItem { line, content })
}

fn in_words<T: FromStr<Err = protocol::package::NoSuchWord>>(item: usize, word: &str) -> Result<T, PackageFileError> {
    word.parse().map_err(|none: protocol::package::NoSuchWord| {
        let word = word.chars().take(40).collect();
        PackageFileError::Word { item, what: none.what, word, words: none.words }
    })
}

fn cell(item: usize, field: &str, cells: &[StoredCell]) -> Result<String, PackageFileError> {
    let mut found = cells.iter().filter(|cell| cell.column == field);
    match (found.next(), found.next()) {
        (Some(cell), None) => Ok(cell.text.to_string()),
        _ => Err(PackageFileError::Field { item, field: field.to_owned() }),
    }
}

fn file_error(item: usize, file: &Path) -> PackageFileError {
    PackageFileError::File { item, file: file.display().to_string() }
}

/// Where a file lies that the text names: in the text's own folder or below, links followed; `None` for any other place.
fn inside(folder: &Path, file: &Path) -> Option<PathBuf> {
    if !file.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return None;
    }
    let (folder, path) = (folder.canonicalize().ok()?, folder.join(file).canonicalize().ok()?);
    (path.starts_with(&folder) && path.is_file()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURPOSE: &str = "[purpose]\ntext = \"t\"\noffence = \"o\"\nlegal_basis = \"l\"\nreference = \"r\"\n";

    fn item(content: &str) -> String {
        format!(
            "{PURPOSE}[[item]]\nname = \"phone\"\ncategory = \"suspect\"\nhandling = [\"H2\", \"H1\", \"H2\"]\nsource = \"X\"\n\
             information = \"4\"\nnature = \"fact\"\nnecessity = \"to call\"\n{content}\n"
        )
    }

    fn cells() -> Vec<StoredCell> {
        let cell = |column: &str, text: &str| StoredCell { column: column.to_owned(), text: text.to_owned().into() };
        vec![cell("phone", "+221771234567"), cell("twice", "a"), cell("twice", "b")]
    }

    fn fails(text: &str, folder: &Path) -> PackageFileError {
        match parse(text, folder, &cells()) {
            Err(error) => error,
            Ok(_) => panic!("taken: {text}"),
        }
    }

    #[test]
    fn a_package_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("photo.jpg"), b"x").unwrap();
        let two = item("field = \"phone\"") + &item("file = \"photo.jpg\"\nas = \"p.jpg\"")[PURPOSE.len()..];
        let (purpose, items) = parse(&two, folder.path(), &cells()).unwrap();
        assert_eq!(purpose.reference.as_deref(), Some("r"));
        assert_eq!(items[0].line.handling, [HandlingCode::H1, HandlingCode::H2], "in order, each once");
        assert!(matches!(&items[0].content, DraftContent::Text(text) if text == "+221771234567"));
        assert!(matches!(&items[1].content, DraftContent::File(_, name) if name == "p.jpg"));
        assert_eq!(items[1].line.kind, ContentKind::File);
    }

    #[test]
    fn what_is_missing_unknown_or_doubtful_is_named() {
        let here = Path::new(".");
        for text in ["", "[purpose]\ntext = 1", "x = 1", &format!("{PURPOSE}[[item]]\nname = \"n\""), "\u{0}"] {
            assert!(matches!(fails(text, here), PackageFileError::Text(_)), "{text}");
        }
        assert!(matches!(fails(&item("colour = \"red\""), here), PackageFileError::Text(_)));
        assert_eq!(fails(&item(""), here), PackageFileError::Content { item: 1 });
        assert_eq!(fails(&item("text = \"a\"\nfield = \"phone\""), here), PackageFileError::Content { item: 1 });
        assert_eq!(fails(&item("text = \"a\"\nas = \"b\""), here), PackageFileError::As { item: 1 });
        for field in ["hair", "twice"] {
            let error = fails(&item(&format!("field = \"{field}\"")), here);
            assert_eq!(error, PackageFileError::Field { item: 1, field: field.to_owned() });
        }
        for (from, to) in [("\"suspect\"", "\"guilty\""), ("\"H1\"", "\"H9\""), ("\"X\"", "\"Z\""), ("\"4\"", "\"5\"")]
        {
            let text = item("text = \"a\"").replace(from, to);
            assert!(matches!(fails(&text, here), PackageFileError::Word { item: 1, .. }), "{to}");
        }
    }

    #[test]
    fn a_file_outside_the_texts_folder_is_not_attached() {
        let outer = tempfile::tempdir().unwrap();
        std::fs::write(outer.path().join("secret"), b"x").unwrap();
        let folder = outer.path().join("inner");
        std::fs::create_dir(&folder).unwrap();
        std::fs::create_dir(folder.join("sub")).unwrap();
        let absolute = outer.path().join("secret").display().to_string();
        let mut places = vec!["../secret".to_owned(), "sub/../../secret".to_owned(), absolute, "sub".to_owned()];
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outer.path().join("secret"), folder.join("link")).unwrap();
            places.push("link".to_owned());
        }
        places.extend(["".to_owned(), "none".to_owned()]);
        for place in places {
            let error = fails(&item(&format!("file = '{place}'")), &folder);
            assert!(matches!(error, PackageFileError::File { item: 1, .. }), "{place}: {error:?}");
        }
    }

    #[test]
    fn a_huge_text_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        std::fs::write(&path, vec![b'#'; MAX_FILE as usize + 1]).unwrap();
        assert_eq!(read(&path, &[]).err(), Some(PackageFileError::TooLarge));
        let many = PURPOSE.to_owned() + &item("text = \"a\"")[PURPOSE.len()..].repeat(MAX_ITEMS + 1);
        assert_eq!(fails(&many, folder.path()), PackageFileError::TooLarge);
        assert!(matches!(read(&folder.path().join("none"), &[]), Err(PackageFileError::Unreadable(_))));
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(matches!(read(&path, &[]), Err(PackageFileError::Unreadable(_))));
    }
}
