//! Errors of a linker or of the system's loader, as one sentence that also says what to do.
//!
//! rustc includes a linker's output in one error, whose own message is "linking with `cc` failed", with the path of the
//! linker or of `scripts/bin/hotcord-link`. The output differs by linker: lld and mold write `undefined symbol: x`,
//! GNU's writes ``undefined reference to `x'``.

use std::fmt;

use sdk_core::text;

/// Most names shown of several.
const NAMED: usize = 3;
/// Most characters shown of the linker's output.
const WORDS: usize = 300;

/// Why a library cannot be linked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkFailure {
    /// The linker, if it is missing.
    no_linker: Option<String>,
    /// Symbols that are used and defined nowhere.
    undefined: Vec<String>,
    /// Libraries that were not found.
    missing: Vec<String>,
    /// Symbols that are defined more than once.
    duplicate: Vec<String>,
    /// The linker's other output.
    words: Option<String>,
}

impl LinkFailure {
    /// Reads an error of rustc's, `rendered` without colour. Returns `None` if it is not a linker error.
    pub(crate) fn read(message: &str, rendered: &str) -> Option<Self> {
        let mut failure = Self::default();
        if let Some(linker) = quoted_after(message, "linker `").filter(|_| message.ends_with("not found")) {
            failure.no_linker = Some(linker.to_owned());
            return Some(failure);
        }
        if let Some(library) = quoted_after(message, "could not find native static library `") {
            failure.missing.push(library.to_owned());
            return Some(failure);
        }
        if !message.starts_with("linking with `") {
            return None;
        }
        for line in rendered.lines() {
            failure.read_line(line);
        }
        Some(failure)
    }

    fn read_line(&mut self, line: &str) {
        // The call of the linker itself, which may hold any words.
        if line.trim_start().starts_with("= note:  \"") {
            return;
        }
        if let Some((_, name)) = line.split_once("linker \"")
            && let Some(name) = name.trim_end().strip_suffix("\" not found")
        {
            self.no_linker = Some(name.to_owned());
            return;
        }
        let named = |mark: &str| line.split_once(mark).map(|(_, name)| without_quotes(name).to_owned());
        let (list, name) = if let Some(name) =
            named("undefined symbol: ").or_else(|| named("undefined reference to "))
        {
            (&mut self.undefined, name)
        } else if let Some(name) = named("unable to find library -l")
            .or_else(|| named("cannot find -l").map(|name| before_colon(&name)))
            .or_else(|| named("library not found: "))
        {
            (&mut self.missing, name)
        } else if let Some(name) = named("duplicate symbol: ")
            .or_else(|| named("multiple definition of ").map(|name| before_colon(&name)))
        {
            (&mut self.duplicate, without_quotes(&name).to_owned())
        } else {
            let is_end = line.contains("ld returned ");
            if self.words.is_none() && line.contains("error: ") && !line.starts_with("error: ") && !is_end {
                let words = line.trim().trim_start_matches("= note:").trim();
                self.words = Some(text::cut(words.to_owned(), WORDS));
            }
            return;
        };
        if !list.contains(&name) {
            list.push(name);
        }
    }

    /// Returns whether the linker was killed by a signal, which may pass.
    pub(crate) fn is_passing(&self) -> bool {
        self.words.as_ref().is_some_and(|words| words.contains("terminated with signal"))
    }
}

impl fmt::Display for LinkFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { no_linker, undefined, missing, duplicate, words } = self;
        f.write_str("it does not link: ")?;
        if let Some(linker) = no_linker {
            write!(f, "the linker {linker} is not found; ./dev-env.sh doctor shows what is missing")
        } else if !missing.is_empty() {
            let is = if missing.len() == 1 { "is" } else { "are" };
            write!(
                f,
                "{} {is} not found; install the development package that brings the library, or name its folder with \
                 cargo::rustc-link-search in build.rs",
                list("library", "libraries", missing)
            )
        } else if !undefined.is_empty() {
            f.write_str(&undefined_words(undefined))
        } else if !duplicate.is_empty() {
            let is = if duplicate.len() == 1 { "is" } else { "are" };
            write!(f, "{} {is} defined twice; rename one", list("symbol", "symbols", duplicate))
        } else {
            f.write_str(words.as_deref().unwrap_or("the linker's words are above"))
        }
    }
}

/// Describes symbols that a library uses and that are defined nowhere.
pub(crate) fn undefined_words(symbols: &[String]) -> String {
    let is = if symbols.len() == 1 { "is" } else { "are" };
    format!(
        "{} {is} defined nowhere; name the library that does with #[link(name = \"...\")] or \
         cargo::rustc-link-lib in build.rs",
        list("symbol", "symbols", symbols)
    )
}

/// Returns whether a symbol's name is mangled by rustc: in the `v0` form, or in the one before it.
pub(crate) fn is_of_rust(symbol: &str) -> bool {
    symbol.starts_with("_R") || symbol.starts_with("_ZN")
}

fn list(one: &str, several: &str, names: &[String]) -> String {
    let named = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len() {
        1 => format!("{one} {named}"),
        count if count <= NAMED => format!("{several} {named}"),
        count => format!("{several} {named} and {} more", count - NAMED),
    }
}

fn quoted_after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    Some(text.strip_prefix(mark)?.split_once('`')?.0)
}

fn without_quotes(name: &str) -> &str {
    name.trim().trim_matches(['`', '\'', '"'])
}

fn before_colon(name: &str) -> String {
    let name = name.split(';').next().unwrap_or_default();
    // In a path of a Rust symbol, colons come in pairs without a space.
    name.split_once(": ").map_or(name, |(name, _)| name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: &str = "error: linking with `cc` failed: exit status: 1\n  |\n  = note:  \"cc\" \"undefined symbol: x\"\n  \
                        = note: some arguments are omitted. use `--verbose` to show all linker arguments\n";

    fn words(linker: &str) -> String {
        let rendered = format!("{CALL}{linker}\n          collect2: error: ld returned 1 exit status\n");
        LinkFailure::read("linking with `cc` failed: exit status: 1", &rendered).unwrap().to_string()
    }

    #[test]
    fn symbols_that_nobody_defines_are_named_whichever_linker_says_so() {
        let expected = "it does not link: symbol nope is defined nowhere; name the library that does with \
                        #[link(name = \"...\")] or cargo::rustc-link-lib in build.rs";
        for said in [
            "  = note: rust-lld: error: undefined symbol: nope\n          >>> referenced by c.2a1",
            "  = note: mold: error: undefined symbol: nope",
            "  = note: /usr/bin/ld: a.o: in function `c::main':\n          c.2a:(.text+0x3): undefined reference to `nope'",
            "  = note: c.2a1:function c::main: error: undefined reference to 'nope'",
        ] {
            assert_eq!(words(said), expected, "{said}");
        }
        let many = ["s1", "s2", "s3", "s4", "s5"]
            .map(|name| format!("ld.lld: error: undefined symbol: {name}"))
            .join("\n");
        assert!(
            words(&many).contains("symbols s1, s2, s3 and 2 more are defined nowhere"),
            "{}",
            words(&many)
        );
    }

    #[test]
    fn libraries_that_are_not_found_are_named() {
        for said in [
            "  = note: rust-lld: error: unable to find library -lnosuch",
            "  = note: /usr/bin/ld: cannot find -lnosuch: No such file or directory",
            "  = note: mold: fatal: library not found: nosuch",
        ] {
            assert!(
                words(said).starts_with("it does not link: library nosuch is not found; install"),
                "{said}"
            );
        }
        let bundled = LinkFailure::read(
            "could not find native static library `nosuch`, perhaps an -L flag is missing?",
            "",
        );
        assert!(bundled.unwrap().to_string().contains("library nosuch is not found"));
    }

    #[test]
    fn whatever_else_a_linker_says_is_told_and_a_compile_error_is_none() {
        let twice = "  = note: rust-lld: error: duplicate symbol: twice\n          >>> defined at a.c";
        assert_eq!(words(twice), "it does not link: symbol twice is defined twice; rename one");
        let twice = "  = note: /usr/bin/ld: b.o: multiple definition of `twice'; a.o: first defined here";
        assert_eq!(words(twice), "it does not link: symbol twice is defined twice; rename one");
        let full = "  = note: rust-lld: error: failed to write output: No space left on device";
        assert_eq!(
            words(full),
            "it does not link: rust-lld: error: failed to write output: No space left on device"
        );
        let killed = "  = note: collect2: fatal error: ld terminated with signal 9 [Killed]";
        let read = |said: &str| LinkFailure::read("linking with `cc` failed: exit status: 1", said).unwrap();
        assert!(read(killed).is_passing() && !read(full).is_passing());
        let none = LinkFailure::read("linker `cc` not found", "").unwrap();
        assert!(none.to_string().contains("the linker cc is not found"), "{none}");
        assert_eq!(read("  = note: error: linker \"cc\" not found"), none);
        assert_eq!(LinkFailure::read("mismatched types", "undefined symbol: x"), None);
    }
}
