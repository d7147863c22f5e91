//! Families of metrics and their text, in the format that Prometheus reads (version 0.0.4).
//!
//! Values are not counted here but read elsewhere, so there is no registry: a family is filled once and written.

use anyhow::Context as _;
use prometheus::TextEncoder;
use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};

/// The media type of the text.
pub(super) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A value with its labels.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    labels: Vec<LabelPair>,
    value: f64,
}

impl Sample {
    pub(super) fn of(value: f64) -> Self {
        Self { labels: Vec::new(), value }
    }

    /// Adds a label. Whatever is in its value is escaped where it is written.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        let mut label = LabelPair::default();
        label.set_name(name.to_owned());
        label.set_value(value.to_owned());
        self.labels.push(label);
        self
    }

    /// A sample for each value of one label.
    pub(super) fn by<'a>(
        label: &'static str,
        values: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> impl Iterator<Item = Self> {
        values.into_iter().map(move |(word, value)| Self::of(value).with(label, word))
    }
}

/// Families of metrics that are being filled.
#[derive(Default)]
pub(super) struct Exposition {
    families: Vec<MetricFamily>,
}

impl Exposition {
    /// Adds values that go up and down. A family without a value is left out: the format knows none.
    pub(super) fn gauge(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = Sample>) {
        let metrics = samples.into_iter().map(|sample| {
            let mut gauge = Gauge::default();
            gauge.set_value(sample.value);
            let mut metric = Metric::from_label(sample.labels);
            metric.set_gauge(gauge);
            metric
        });
        self.family(name, help, MetricType::GAUGE, metrics.collect());
    }

    /// Adds values that only grow. Their name ends in `_total`.
    pub(super) fn counter(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = Sample>) {
        let metrics = samples.into_iter().map(|sample| {
            let mut counter = Counter::default();
            counter.set_value(sample.value);
            let mut metric = Metric::from_label(sample.labels);
            metric.set_counter(counter);
            metric
        });
        self.family(name, help, MetricType::COUNTER, metrics.collect());
    }

    /// Adds a histogram without labels. Each bucket has its upper bound, included, and how many values are in it alone; the last one has
    /// no bound. `sum` is that of all values.
    pub(super) fn histogram(
        &mut self,
        name: &str,
        help: &str,
        buckets: impl IntoIterator<Item = (Option<f64>, u64)>,
        sum: f64,
    ) {
        let mut count = 0_u64;
        let mut cumulative = Vec::new();
        for (bound, values) in buckets {
            count = count.saturating_add(values);
            // What is above the last bound is written by the encoder, from the count.
            if let Some(bound) = bound {
                let mut bucket = Bucket::default();
                bucket.set_upper_bound(bound);
                bucket.set_cumulative_count(count);
                cumulative.push(bucket);
            }
        }
        let mut histogram = Histogram::default();
        histogram.set_bucket(cumulative);
        histogram.set_sample_count(count);
        histogram.set_sample_sum(sum);
        let mut metric = Metric::default();
        metric.set_histogram(histogram);
        self.family(name, help, MetricType::HISTOGRAM, vec![metric]);
    }

    fn family(&mut self, name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) {
        if metrics.is_empty() {
            return;
        }
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        family.set_metric(metrics);
        self.families.push(family);
    }

    /// The text of all families.
    ///
    /// # Errors
    /// The library refuses a family.
    pub(super) fn write(&self) -> anyhow::Result<String> {
        TextEncoder::new().encode_to_string(&self.families).context("the metrics cannot be written")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_chose_break_neither_a_line_nor_a_label() {
        let hostile = ["a\"b", "a\\", "a\nb_total 7", "a\"} 1\nevil 2", "부산도너츠", "<script>", "{}", ""];
        let mut exposition = Exposition::default();
        exposition.gauge("units", "Units.", hostile.map(|sku| Sample::of(1.0).with("sku", sku)));
        let text = exposition.write().expect("a text");
        let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            samples,
            [
                r#"units{sku="a\"b"} 1"#,
                r#"units{sku="a\\"} 1"#,
                r#"units{sku="a\nb_total 7"} 1"#,
                r#"units{sku="a\"} 1\nevil 2"} 1"#,
                r#"units{sku="부산도너츠"} 1"#,
                r#"units{sku="<script>"} 1"#,
                r#"units{sku="{}"} 1"#,
                r#"units{sku=""} 1"#,
            ]
        );
    }

    #[test]
    fn each_bucket_of_a_histogram_counts_what_is_below_it_too_and_the_last_one_all() {
        let mut exposition = Exposition::default();
        let buckets = [(Some(60.0), 2), (Some(300.0), 0), (Some(3600.0), 3), (None, 4)];
        exposition.histogram("lead_time_seconds", "Lead times.", buckets, 20_000.5);
        assert_eq!(
            exposition.write().expect("a text"),
            "# HELP lead_time_seconds Lead times.\n\
             # TYPE lead_time_seconds histogram\n\
             lead_time_seconds_bucket{le=\"60\"} 2\n\
             lead_time_seconds_bucket{le=\"300\"} 2\n\
             lead_time_seconds_bucket{le=\"3600\"} 5\n\
             lead_time_seconds_bucket{le=\"+Inf\"} 9\n\
             lead_time_seconds_sum 20000.5\n\
             lead_time_seconds_count 9\n"
        );
    }

    #[test]
    fn a_family_without_a_value_is_left_out_and_a_counter_is_named_in_full() {
        let mut exposition = Exposition::default();
        exposition.gauge("nothing", "Nothing.", []);
        exposition.counter("calls_total", "Calls.", Sample::by("partner", [("factory", 3.0)]));
        assert_eq!(
            exposition.write().expect("a text"),
            "# HELP calls_total Calls.\n# TYPE calls_total counter\ncalls_total{partner=\"factory\"} 3\n"
        );
    }
}
