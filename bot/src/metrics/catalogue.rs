//! The list of metrics. Each is registered with its documentation.

use prometheus_client::encoding::EncodeMetric;
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry, Unit};

/// Prefix of every name.
const PREFIX: &str = "hotcord";

/// A gauge that holds fractions.
pub(super) type Fraction = Gauge<f64, std::sync::atomic::AtomicU64>;
/// A counter that holds fractions.
pub(super) type Sum = Counter<f64, std::sync::atomic::AtomicU64>;

/// The registered metrics.
pub(super) struct Catalogue {
    pub(super) registry: Registry,
    pub(super) entries: Vec<Entry>,
}

/// The documentation of a metric, with which `docs/metrics.md` is compared.
#[derive(Debug)]
#[cfg_attr(not(test), allow(dead_code))]
pub(super) struct Entry {
    /// Name, with unit and suffix.
    pub(super) name: String,
    /// `counter`, `gauge`, `histogram` or `info`.
    pub(super) kind: &'static str,
    pub(super) labels: Vec<&'static str>,
    pub(super) unit: Option<&'static str>,
    /// Its meaning, without the full stop at the end.
    pub(super) help: &'static str,
}

impl Catalogue {
    pub(super) fn new() -> Self {
        Self { registry: Registry::with_prefix(PREFIX), entries: Vec::new() }
    }

    /// Registers a metric that has one value.
    pub(super) fn single<M: Metric + Clone + Default>(
        &mut self,
        name: &str,
        unit: Option<Unit>,
        help: &'static str,
    ) -> M {
        let metric = M::default();
        self.add(name, unit, Vec::new(), help, metric.clone());
        metric
    }

    /// Registers a counter with labels.
    pub(super) fn counters<const N: usize>(
        &mut self,
        name: &str,
        labels: [&'static str; N],
        help: &'static str,
    ) -> Labelled<Counter, N> {
        self.labelled(name, None, labels, help, Counter::default)
    }

    /// Registers values with labels.
    pub(super) fn gauges<M: Default, const N: usize>(
        &mut self,
        name: &str,
        unit: Option<Unit>,
        labels: [&'static str; N],
        help: &'static str,
    ) -> Labelled<M, N>
    where
        Family<Labels<N>, M, fn() -> M>: Metric + Clone,
    {
        self.labelled(name, unit, labels, help, M::default)
    }

    /// Registers a histogram of seconds.
    pub(super) fn seconds<const N: usize>(
        &mut self,
        name: &str,
        labels: [&'static str; N],
        help: &'static str,
        histogram: fn() -> Histogram,
    ) -> Labelled<Histogram, N> {
        self.labelled(name, Some(Unit::Seconds), labels, help, histogram)
    }

    fn labelled<M, const N: usize>(
        &mut self,
        name: &str,
        unit: Option<Unit>,
        labels: [&'static str; N],
        help: &'static str,
        make: fn() -> M,
    ) -> Labelled<M, N>
    where
        Family<Labels<N>, M, fn() -> M>: Metric + Clone,
    {
        let family = Family::new_with_constructor(make);
        self.add(name, unit, labels.to_vec(), help, family.clone());
        Labelled { labels, family }
    }

    /// Registers any metric.
    pub(super) fn add(
        &mut self,
        name: &str,
        unit: Option<Unit>,
        labels: Vec<&'static str>,
        help: &'static str,
        metric: impl Metric,
    ) {
        let (kind, suffix) = match EncodeMetric::metric_type(&metric) {
            MetricType::Counter => ("counter", "_total"),
            MetricType::Gauge => ("gauge", ""),
            MetricType::Histogram => ("histogram", ""),
            MetricType::Info => ("info", "_info"),
            MetricType::Unknown => ("unknown", ""),
        };
        let in_unit = match &unit {
            Some(Unit::Seconds) => Some("seconds"),
            Some(Unit::Bytes) => Some("bytes"),
            _ => None,
        };
        let with_unit = in_unit.map(|unit| format!("_{unit}")).unwrap_or_default();
        let full = format!("{PREFIX}_{name}{with_unit}{suffix}");
        self.entries.push(Entry { name: full, kind, labels, unit: in_unit, help });
        match unit {
            Some(unit) => self.registry.register_with_unit(name, help, unit, metric),
            None => self.registry.register(name, help, metric),
        }
    }
}

/// Names and values of a metric's labels.
pub(super) type Labels<const N: usize> = [(&'static str, String); N];

/// A metric with a value for each combination of labels.
#[derive(Debug)]
pub(super) struct Labelled<M, const N: usize> {
    labels: [&'static str; N],
    family: Family<Labels<N>, M, fn() -> M>,
}

impl<M: Clone, const N: usize> Labelled<M, N> {
    /// Returns the value for these labels, in the order of their names.
    pub(super) fn of(&self, values: [&str; N]) -> M {
        let mut values = values.into_iter();
        let labels = self.labels.map(|label| (label, values.next().unwrap_or_default().to_owned()));
        self.family.get_or_create_owned(&labels)
    }

    /// Removes all values.
    pub(super) fn clear(&self) {
        self.family.clear();
    }
}
