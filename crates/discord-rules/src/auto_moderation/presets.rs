//! Words of the presets. Discord's own wordsets are not public; these are a few, each with one that offends nobody.

const PROFANITY: &[&str] = &["sandbox-profanity", "fuck*", "shit*", "bullshit*", "asshole*"];
const SEXUAL_CONTENT: &[&str] = &["sandbox-sexual-content", "porn*", "dildo*"];
const SLURS: &[&str] = &["sandbox-slur", "retard*"];

/// Returns the words of presets, by Discord's numbers.
pub(super) fn words(presets: &[u8]) -> impl Iterator<Item = &'static str> {
    let sets = [(1, PROFANITY), (2, SEXUAL_CONTENT), (3, SLURS)];
    sets.into_iter()
        .filter(|(number, _)| presets.contains(number))
        .flat_map(|(_, words)| words.iter().copied())
}
