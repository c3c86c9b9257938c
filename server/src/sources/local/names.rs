//! The names at the top of the streams folder, so that a bare file knows what lies beside it, and what
//! lies beside it knows the file.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
};

use crate::catalog::name::{self, NameForm};

/// All names that are text, by their composed form.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<String, String>);

impl Names {
    /// Takes a new list; answers the bare files beside which something came or went.
    pub(crate) fn become_these(&mut self, names: &BTreeSet<OsString>) -> Vec<OsString> {
        let texts = names.iter().filter_map(|name| name.to_str());
        let new: BTreeMap<String, String> =
            texts.map(|text| (name::nfc(text), text.to_owned())).collect();
        let came: Vec<String> =
            new.keys().filter(|name| !self.0.contains_key(*name)).cloned().collect();
        let went: Vec<String> =
            self.0.keys().filter(|name| !new.contains_key(*name)).cloned().collect();
        // Where all is new, all is looked at anyway.
        let is_first = self.0.is_empty();
        self.0 = new;
        if is_first {
            return Vec::new();
        }
        came.iter().chain(&went).flat_map(|name| self.owners(name)).collect()
    }

    /// Notes that a name is there or is not; answers the bare files that it lies beside.
    pub(crate) fn change(&mut self, name: &OsStr, is_there: bool) -> Vec<OsString> {
        let Some(text) = name.to_str() else { return Vec::new() };
        let composed = name::nfc(text);
        if is_there {
            self.0.insert(composed.clone(), text.to_owned());
        } else {
            self.0.remove(&composed);
        }
        self.owners(&composed)
    }

    /// The names that begin as the bare file `name` does, without it.
    pub(crate) fn beside(&self, name: &str) -> Vec<String> {
        let composed = name::nfc(name);
        let begin = format!("{}.", name::stem(&composed));
        let all = self.beginning(&begin).filter(|(key, _)| **key != composed);
        all.filter(|(key, _)| is_aside(key)).map(|(_, name)| name.clone()).collect()
    }

    /// The bare files that this name lies beside.
    fn owners(&self, composed: &str) -> Vec<OsString> {
        if !is_aside(composed) {
            return Vec::new();
        }
        let dots = composed.match_indices('.').map(|(dot, _)| &composed[..dot]);
        let owners = dots.flat_map(|stem| {
            let with = self.beginning(&format!("{stem}."));
            let with = with.filter(move |(key, _)| name::stem(key) == stem);
            self.0.get_key_value(stem).into_iter().chain(with.collect::<Vec<_>>())
        });
        let owners = owners.filter(|(key, _)| name::form(key) == NameForm::Bare);
        owners.map(|(_, name)| OsString::from(name)).collect()
    }

    fn beginning<'a>(
        &'a self,
        begin: &str,
    ) -> impl Iterator<Item = (&'a String, &'a String)> + use<'a> {
        let begin = begin.to_owned();
        self.0.range(begin.clone()..).take_while(move |(key, _)| key.starts_with(&begin))
    }
}

/// Whether a name is one of those that lie beside bare files.
fn is_aside(name: &str) -> bool {
    [".toml", ".vtt", ".webp", ".jpg"].iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use std::ffi::{OsStr, OsString};

    use super::Names;

    #[test]
    fn files_and_what_lies_beside_them() {
        let mut names = Names::default();
        let all = [
            "film.mp4",
            "film.mp4.toml",
            "film.es.vtt",
            "film.jpg",
            "film2.mp4",
            "film.webm",
            "film.txt",
            "Sen\u{303}al.mp4",
            "Señal.mp4.toml",
        ];
        names.become_these(&all.map(OsString::from).into());
        assert_eq!(names.beside("film.mp4"), ["film.es.vtt", "film.jpg", "film.mp4.toml"]);
        assert_eq!(names.beside("film2.mp4"), [""; 0]);
        assert_eq!(names.beside("Sen\u{303}al.mp4"), ["Señal.mp4.toml"]);
        let mut owners = |name: &str| names.change(OsStr::new(name), true);
        assert_eq!(owners("film.mp4.de.vtt"), ["film.mp4", "film.webm", "film.mp4"]);
        assert_eq!(owners("film2.toml"), ["film2.mp4"]);
        assert_eq!(owners("film.mp4"), [""; 0]);
        assert_eq!(owners("other.toml"), [""; 0]);
        let left = ["film.mp4", "film2.mp4"].map(OsString::from).into();
        assert!(names.become_these(&left).contains(&OsString::from("film.mp4")));
    }
}
