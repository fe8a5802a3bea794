//! The plugins whose edits are measured: two that are made for it, and the music plugin.

use std::fs;
use std::io;
use std::path::Path;

use crate::playground::save;
use crate::plugins::Sample;

/// Stands for the answer in a template.
const ANSWER: &str = "THE_ANSWER";

/// A plugin of which one line is edited, which changes the answer of one command.
#[derive(Clone, Debug)]
pub(super) struct Edited {
    /// Name of its folder.
    pub(super) name: &'static str,
    /// Description in the table.
    pub(super) title: &'static str,
    /// File that is edited, relative to the folder of plugins.
    pub(super) file: String,
    /// Command that answers with the edited text.
    pub(super) command: String,
    template: String,
}

impl Edited {
    /// Writes the measured plugins into a workspace, where each answers `v0`.
    ///
    /// # Errors
    /// If a file cannot be read or written, or the music plugin is not as expected.
    pub(super) fn all(root: &Path) -> io::Result<[Self; 3]> {
        let small = Self::sample(root, Sample::SMALL, "small, 3 commands")?;
        let large = Self::sample(root, Sample::LARGE, "large, 24 commands")?;
        Ok([small, large, Self::music(root)?])
    }

    fn sample(root: &Path, sample: Sample, title: &'static str) -> io::Result<Self> {
        sample.write(root, "commands", "v0")?;
        Ok(Self {
            name: sample.name,
            title,
            file: sample.file(),
            command: format!("/{}", sample.command()),
            template: sample.source(ANSWER),
        })
    }

    /// `/queue page:1` of the music plugin answers with a constant from now on.
    fn music(root: &Path) -> io::Result<Self> {
        let file = "music/src/queue.rs";
        let path = root.join("commands").join(file);
        let begin = ") -> Result<(), Error> {\n";
        let source = fs::read_to_string(&path)?;
        let (head, body) = source.split_once(begin).ok_or_else(|| {
            io::Error::other(format!("{} holds no function that can be measured", path.display()))
        })?;
        let template = format!(
            "{head}{begin}    if page == Some(1) {{\n        ctx.say(MEASURED).await?;\n        return Ok(());\n    \
             }}\n{body}\nconst MEASURED: &str = \"{ANSWER}\";\n"
        );
        let music = Self {
            name: "music",
            title: "commands/music",
            file: file.to_owned(),
            command: "/queue page:1".to_owned(),
            template,
        };
        music.save(root, "commands", "v0")?;
        Ok(music)
    }

    /// Returns its id.
    pub(super) fn plugin(&self) -> String {
        format!("commands/{}", self.name)
    }

    /// Saves the edited file in a folder of plugins, so that the command answers with `answer`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn save(&self, root: &Path, folder: &str, answer: &str) -> io::Result<()> {
        save(&root.join(folder).join(&self.file), &self.template.replace(ANSWER, answer))
    }

    /// Saves the edited file with a mistake, which no other save of it has.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn save_wrong(&self, root: &Path, folder: &str, round: usize) -> io::Result<()> {
        let wrong = self.template.replace(&format!("\"{ANSWER}\""), &round.to_string());
        save(&root.join(folder).join(&self.file), &wrong)
    }

    /// Copies the plugin's sources into another folder of plugins, which no host watches.
    ///
    /// # Errors
    /// If a file cannot be copied.
    pub(super) fn copy(&self, root: &Path, folder: &str) -> io::Result<()> {
        let (from, to) = (root.join("commands").join(self.name), root.join(folder).join(self.name));
        for inside in ["", "src"] {
            fs::create_dir_all(to.join(inside))?;
            for entry in fs::read_dir(from.join(inside))? {
                let entry = entry?;
                if entry.file_type()?.is_file() {
                    fs::copy(entry.path(), to.join(inside).join(entry.file_name()))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playground::workspace;

    #[test]
    fn an_edit_changes_the_answer_alone_and_a_mistake_is_one_of_types() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let queue = workspace().join("commands/music/src/queue.rs");
        save(&root.join("commands/music/src/queue.rs"), &fs::read_to_string(queue).unwrap()).unwrap();
        for edited in Edited::all(root).unwrap() {
            let read = || fs::read_to_string(root.join("commands").join(&edited.file)).unwrap();
            let before = read();
            edited.save(root, "commands", "v1").unwrap();
            assert!(before.contains("\"v0\""), "{before}");
            assert_eq!(read(), before.replace("\"v0\"", "\"v1\""));
            edited.save_wrong(root, "commands", 7).unwrap();
            assert!(read().contains(": &str = 7;"), "{}", read());
        }
    }
}
