//! A strict parser of OpenMetrics' text format. Source: OpenMetrics 1.0, "Text format" and "Overall structure".

use std::collections::{BTreeMap, BTreeSet};

/// One reading of all metrics.
#[derive(Debug, Default)]
pub(crate) struct Scrape {
    /// Kind of each metric, by its name without the suffixes of samples.
    pub(crate) kinds: BTreeMap<String, String>,
    /// Values, by name and labels as written.
    pub(crate) samples: BTreeMap<String, f64>,
}

/// Suffixes that samples of a kind may have.
fn suffixes(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "counter" => &["_total"],
        "gauge" => &[""],
        "histogram" => &["_bucket", "_sum", "_count"],
        "info" => &["_info"],
        _ => return None,
    })
}

impl Scrape {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut scrape = Self::default();
        let mut helped = BTreeSet::new();
        let mut current: Option<(String, &[&str])> = None;
        let body = text.strip_suffix("# EOF\n").ok_or("it does not end with # EOF")?;
        for line in body.lines() {
            let wrong = |why: &str| Err(format!("{why}: {line:?}"));
            if let Some(comment) = line.strip_prefix("# ") {
                let mut words = comment.splitn(3, ' ');
                let (what, name, rest) = (words.next(), words.next(), words.next());
                let (Some(what), Some(name), Some(rest)) = (what, name, rest) else {
                    return wrong("a comment is none of the three kinds");
                };
                match what {
                    "HELP" if helped.insert(name.to_owned()) => {}
                    "TYPE" if helped.contains(name) => {
                        let Some(suffixes) = suffixes(rest) else { return wrong("an unknown type") };
                        if scrape.kinds.insert(name.to_owned(), rest.to_owned()).is_some() {
                            return wrong("a metric comes twice");
                        }
                        current = Some((name.to_owned(), suffixes));
                    }
                    "UNIT" if name.ends_with(&format!("_{rest}")) => {}
                    _ => return wrong("a comment out of order"),
                }
                continue;
            }
            let end = if line.contains('{') {
                labels_end(line).ok_or_else(|| format!("its labels are malformed: {line:?}"))?
            } else {
                line.find(' ').ok_or_else(|| format!("it has no value: {line:?}"))?
            };
            let (sample, value) = line.split_at(end);
            let name = sample.split('{').next().unwrap_or_default();
            let fits = current.as_ref().is_some_and(|(metric, suffixes)| {
                name.strip_prefix(metric.as_str()).is_some_and(|suffix| suffixes.contains(&suffix))
            });
            if !fits {
                return wrong("a sample of another metric");
            }
            let Some(Ok(value)) = value.strip_prefix(' ').map(str::parse::<f64>) else {
                return wrong("its value is no number");
            };
            if scrape.samples.insert(sample.to_owned(), value).is_some() {
                return wrong("a sample comes twice");
            }
        }
        scrape.check_histograms().map(|()| scrape)
    }

    /// Checks that buckets add up.
    fn check_histograms(&self) -> Result<(), String> {
        for (name, _) in self.kinds.iter().filter(|(_, kind)| *kind == "histogram") {
            let counts = self.samples.iter().filter(|(sample, _)| {
                sample.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with("_count"))
            });
            for (sample, count) in counts {
                let labels = sample.trim_start_matches(&format!("{name}_count")).trim_matches(['{', '}']);
                let mut buckets: Vec<(f64, f64)> = Vec::new();
                for (bucket, value) in &self.samples {
                    let inside = bucket
                        .strip_prefix(&format!("{name}_bucket{{le=\""))
                        .and_then(|rest| rest.split_once('"'));
                    let Some((bound, rest)) = inside else { continue };
                    if rest.trim_start_matches(',').trim_end_matches('}') == labels {
                        let bound = if bound == "+Inf" {
                            f64::INFINITY
                        } else {
                            bound.parse().map_err(|_| bucket.clone())?
                        };
                        buckets.push((bound, *value));
                    }
                }
                buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
                let adds_up = buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1);
                if !adds_up || buckets.last() != Some(&(f64::INFINITY, *count)) {
                    return Err(format!("the buckets of {sample} do not add up: {buckets:?}"));
                }
            }
        }
        Ok(())
    }

    /// Returns a value by its name and labels as written.
    pub(crate) fn value(&self, sample: &str) -> Option<f64> {
        self.samples.get(sample).copied()
    }

    /// Returns a value that has to exist.
    pub(crate) fn sample(&self, sample: &str) -> f64 {
        self.value(sample).unwrap_or_else(|| panic!("{sample} is not in {self:#?}"))
    }
}

/// Returns where the labels end; `None` unless each is a name and a quoted value.
fn labels_end(line: &str) -> Option<usize> {
    let mut at = line.find('{')? + 1;
    loop {
        let name = line[at..].find('=')?;
        let word = &line[at..at + name];
        if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
            return None;
        }
        at += name + 1;
        let quoted = line[at..].strip_prefix('"')?;
        let mut escaped = false;
        let length = quoted.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        at += length + 2;
        match line.as_bytes().get(at)? {
            b',' => at += 1,
            b'}' => return Some(at + 1),
            _ => return None,
        }
    }
}

#[test]
fn what_is_malformed_is_refused() {
    let fine = "# HELP a_b x.\n# TYPE a_b counter\na_b_total{x=\"1\\\"\",y=\"\"} 2\n# EOF\n";
    let value = Scrape::read(fine).unwrap().sample("a_b_total{x=\"1\\\"\",y=\"\"}");
    assert!((value - 2.0).abs() < 1e-9, "{value}");
    let bucket = |count: u8| {
        format!(
            "# HELP h x.\n# TYPE h histogram\nh_sum 1\nh_count {count}\nh_bucket{{le=\"1\"}} 1\nh_bucket{{le=\"+Inf\"}} 2\n# EOF\n"
        )
    };
    assert!(Scrape::read(&bucket(2)).is_ok());
    for wrong in [
        fine.replace("# EOF\n", ""),
        fine.replace("_total", ""),
        fine.replace("} 2", "} two"),
        fine.replace("counter", "count"),
        fine.replace("x=\"1\\\"\"", "x=\"1"),
        fine.replace("# HELP a_b x.\n", ""),
        fine.replace("# EOF", "a_b_total{x=\"1\\\"\",y=\"\"} 3\n# EOF"),
        bucket(3),
    ] {
        assert!(Scrape::read(&wrong).is_err(), "{wrong}");
    }
}
