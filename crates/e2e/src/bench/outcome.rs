//! What was measured, as a table or as JSON.

use serde_json::{Value, json};

use crate::kept::Show;
use crate::load::Tally;
use crate::numbers::Numbers;

/// Milliseconds of parts, each with its name.
pub(super) type Parts = Vec<(String, f64)>;

/// The measurements of one plugin.
#[derive(Default)]
pub(super) struct Measured {
    /// Name of its folder, and description in the table.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// From a save to the first new answer.
    pub(super) reload: Numbers,
    /// Parts of a reload.
    pub(super) parts: Vec<(String, Numbers)>,
    /// The same of another revision.
    pub(super) against: Numbers,
    /// rustc alone, with the same edit.
    pub(super) bare: Numbers,
    /// Passes of rustc.
    pub(super) passes: Vec<(String, Numbers)>,
    /// From the save of a mistake to rustc's words about it.
    pub(super) diagnosis: Numbers,
    /// rustc alone, with the same mistake.
    pub(super) bare_diagnosis: Numbers,
    /// An edit without hot reload: cargo, and a new process.
    pub(super) restart: Numbers,
}

impl Measured {
    pub(super) fn add_parts(&mut self, parts: Parts) {
        add(&mut self.parts, parts);
    }

    pub(super) fn add_passes(&mut self, passes: Parts) {
        add(&mut self.passes, passes);
    }

    /// Describes the reloads so far in a line.
    pub(super) fn summary(&self) -> String {
        let mut line = format!("p50 {:.0} ms, bare rustc {:.0} ms", self.reload.p50(), self.bare.p50());
        if !self.against.is_empty() {
            line.push_str(&format!(", the other revision {:.0} ms", self.against.p50()));
        }
        line
    }

    /// Returns the quotients that were measured, each with its name.
    fn ratios(&self) -> Vec<(&'static str, f64)> {
        let pairs = [
            ("reload / bare rustc", &self.reload, &self.bare),
            ("reload / the other revision's", &self.reload, &self.against),
            ("diagnosis / bare rustc", &self.diagnosis, &self.bare_diagnosis),
            ("restart / reload", &self.restart, &self.reload),
        ];
        let measured = pairs.into_iter().filter(|(_, one, other)| !one.is_empty() && !other.is_empty());
        measured.map(|(name, one, other)| (name, one.p50() / other.p50())).collect()
    }

    fn to_json(&self) -> Value {
        let parts = |parts: &[(String, Numbers)]| -> serde_json::Map<_, _> {
            parts.iter().map(|(name, numbers)| (name.clone(), numbers.to_json())).collect()
        };
        let ratios: serde_json::Map<_, _> =
            self.ratios().into_iter().map(|(name, ratio)| (name.to_owned(), thousandth(ratio))).collect();
        json!({
            "reload_ms": self.reload.to_json(),
            "parts_ms": parts(&self.parts),
            "against_ms": self.against.to_json(),
            "bare_rustc_ms": self.bare.to_json(),
            "passes_ms": parts(&self.passes),
            "diagnosis_ms": self.diagnosis.to_json(),
            "bare_diagnosis_ms": self.bare_diagnosis.to_json(),
            "ratio": thousandth(self.reload.p50() / self.bare.p50()),
            "ratios": ratios,
            "restart_ms": self.restart.to_json(),
        })
    }

    fn print(&self) {
        println!("{}", self.title);
        row("  save -> first new answer", &self.reload);
        for (part, numbers) in &self.parts {
            row(&format!("    {part}"), numbers);
        }
        row("  the other revision, the same edit", &self.against);
        row("  bare rustc, the same edit", &self.bare);
        for (pass, numbers) in &self.passes {
            row(&format!("    {pass}"), numbers);
        }
        row("  mistake -> rustc's words", &self.diagnosis);
        row("  bare rustc, the same mistake", &self.bare_diagnosis);
        row("  cargo build and restart", &self.restart);
        let ratios: Vec<_> =
            self.ratios().into_iter().map(|(name, ratio)| format!("{name} {ratio:.2}")).collect();
        println!("  {}", ratios.join(", "));
    }
}

fn thousandth(ratio: f64) -> Value {
    ((ratio * 1000.0).round() / 1000.0).into()
}

fn add(all: &mut Vec<(String, Numbers)>, parts: Parts) {
    for (part, milliseconds) in parts {
        match all.iter_mut().find(|(name, _)| *name == part) {
            Some((_, numbers)) => numbers.push(milliseconds),
            None => all.push((part, Numbers::from_iter([milliseconds]))),
        }
    }
}

fn row(words: &str, numbers: &Numbers) {
    if !numbers.is_empty() {
        let (p50, p95, max) = (numbers.p50(), numbers.percentile(95.0), numbers.max());
        println!("{words:<44}{p50:>10.1}{p95:>10.1}{max:>10.1}");
    }
}

/// The outcome of interactions during reloads.
#[derive(Default)]
pub(super) struct UnderLoad {
    pub(super) tally: Tally,
    pub(super) reload: Numbers,
    /// The same load without reloads, if both were compared.
    pub(super) quiet: Tally,
}

/// All measurements.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) json: bool,
    /// Number of busy programs, if only load is measured.
    pub(super) busy: Option<usize>,
    pub(super) plugins: Vec<Measured>,
    pub(super) load: UnderLoad,
    pub(super) identifies: u64,
}

impl Outcome {
    pub(super) fn is_clean(&self) -> bool {
        self.load.tally.is_clean() && self.load.quiet.is_clean() && self.identifies == 1
    }

    fn to_json(&self, is_whole: bool) -> Value {
        let UnderLoad { tally, reload, quiet } = &self.load;
        let tally_json = |tally: &Tally| {
            let mut object = tally.to_json();
            object["acknowledged_ms"] = tally.acknowledged.to_json();
            object
        };
        let mut object = json!({
            "whole": is_whole,
            "busy": self.busy,
            "load": {
                "reload_ms": reload.to_json(), "reloads": reload.len(), "sent": tally.sent,
                "with_reloads": tally_json(tally), "without": tally_json(quiet),
            },
            "lost": tally.lost,
            "doubled": tally.doubled,
            "failed": tally.failed,
            "identifies": self.identifies,
        });
        for measured in &self.plugins {
            object[measured.name] = measured.to_json();
        }
        object
    }
}

impl Show for Outcome {
    fn show(&self, is_whole: bool) {
        if self.json {
            println!("{}", self.to_json(is_whole));
            return;
        }
        if !is_whole {
            println!("\nIt ended before its time; this was measured until then.");
        }
        if self.plugins.iter().any(|measured| !measured.reload.is_empty()) {
            println!("\n{:<44}{:>10}{:>10}{:>10}", "milliseconds", "p50", "p95", "max");
        }
        self.plugins.iter().filter(|measured| !measured.reload.is_empty()).for_each(Measured::print);
        let UnderLoad { tally, reload, quiet } = &self.load;
        if !reload.is_empty() {
            println!(
                "\nUnder load: {} reloads, p50 {:.0} ms, p95 {:.0} ms;",
                reload.len(),
                reload.p50(),
                reload.percentile(95.0)
            );
        }
        for (words, tally) in [("with reloads", tally), ("without", quiet)] {
            if tally.sent > 0 {
                let Tally { sent, lost, doubled, failed, acknowledged, .. } = tally;
                println!(
                    "  {words:<13}{sent} interactions, {lost} lost, {doubled} doubled, {failed} failed; answered after p50 \
                     {:.0} ms, p99 {:.0} ms, max {:.0} ms",
                    acknowledged.p50(),
                    acknowledged.percentile(99.0),
                    acknowledged.max()
                );
            }
            for sample in &tally.samples {
                println!("    went wrong: {sample}");
            }
        }
        println!("  {} IDENTIFY", self.identifies);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_measured_on_both_sides_is_compared() {
        let mut measured = Measured { name: "small", ..Measured::default() };
        measured.reload.push(300.0);
        measured.bare.push(400.0);
        assert_eq!(measured.to_json()["ratios"], json!({"reload / bare rustc": 0.75}));
        measured.against.push(500.0);
        assert_eq!(measured.to_json()["ratios"]["reload / the other revision's"], 0.6);
        assert_eq!(measured.summary(), "p50 300 ms, bare rustc 400 ms, the other revision 500 ms");
    }
}
