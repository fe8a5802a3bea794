//! Tags: a file's description of itself.

/// Maximum number of characters of a tag that are kept.
const MOST: usize = 200;

/// Tags of a file; each text is one line of at most 200 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// Title.
    pub title: Option<String>,
    /// Artist.
    pub artist: Option<String>,
    /// Album.
    pub album: Option<String>,
}

/// Kind of a tag.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Title,
    Artist,
    Album,
}

impl Kind {
    /// Reads the names that Vorbis comments and Matroska use.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let names = [("title", Self::Title), ("artist", Self::Artist), ("album", Self::Album)];
        names.into_iter().find(|(own, _)| name.eq_ignore_ascii_case(own)).map(|(_, kind)| kind)
    }
}

impl Tags {
    /// Records a tag; the first one of its kind counts.
    pub(crate) fn note(&mut self, kind: Kind, text: &str) {
        let text: String = text.chars().filter(|c| !c.is_control()).take(MOST).collect();
        let text = text.trim();
        let place = match kind {
            Kind::Title => &mut self.title,
            Kind::Artist => &mut self.artist,
            Kind::Album => &mut self.album,
        };
        if place.is_none() && !text.is_empty() {
            *place = Some(text.to_owned());
        }
    }
}
