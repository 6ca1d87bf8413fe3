//! The trackers side by side.

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::bench::tracker::statistics::{median, quantile};
use crate::bench::tracker::{number, text};

/// All that the browser program printed.
#[derive(Default)]
pub struct Report {
    /// In the order in which they were met; the page without a tracker is the first.
    trackers: Vec<Tracker>,
}

#[derive(Default)]
struct Tracker {
    id: String,
    visits: Vec<Visit>,
    wire: Value,
    about: Value,
}

/// A load and some clicks, on a page that nobody had visited before.
struct Visit {
    load_ms: f64,
    click_us: Vec<f64>,
    /// Work that a click caused after it was over, all clicks together.
    rest_us: f64,
    layouts: f64,
    styles: f64,
    heap_kb: f64,
}

/// A line of the table.
struct Metric {
    /// In JSON.
    name: &'static str,
    label: &'static str,
    decimals: usize,
    goal: Option<f64>,
    /// Whether the page itself takes some of it, which is to be taken off.
    over_blank: bool,
    of: fn(&Tracker) -> f64,
}

const METRICS: [Metric; 14] = [
    Metric::new("raw", "download, bytes", |t| t.about("raw")),
    Metric::new("gzip", "  gzip -9", |t| t.about("gzip")),
    Metric::new("brotli", "  brotli 11", |t| t.about("brotli")),
    Metric::new("load_ms", "load, CPU ms", |t| t.middle(|visit| visit.load_ms)).decimals(1).goal(2.0).over_blank(),
    Metric::new("first_click_us", "first click of a visit, CPU µs", |t| t.middle(|visit| visit.click_us[0]))
        .over_blank(),
    Metric::new("click_us_p50", "later clicks, CPU µs: median", |t| median(&t.later_clicks())).goal(50.0).over_blank(),
    Metric::new("click_us_p99", "  99 of 100 within", |t| quantile(&t.later_clicks(), 0.99)).goal(500.0).over_blank(),
    Metric::new("rest_us", "after each click, CPU µs", |t| t.a_click(|visit| visit.rest_us)).over_blank(),
    Metric::new("layouts", "layouts forced in a click", |t| t.a_click(|visit| visit.layouts)).decimals(1).goal(0.0),
    Metric::new("styles", "style updates forced in a click", |t| t.a_click(|visit| visit.styles)).decimals(1),
    Metric::new("heap_kb", "heap, KB", |t| t.middle(|visit| visit.heap_kb)).goal(150.0).over_blank(),
    Metric::new("files", "files", |t| t.about("files")),
    Metric::new("wire_requests", "10 views, 50 clicks: requests", |t| t.wire("requests")),
    Metric::new("wire_bytes", "  bytes, heads and bodies", |t| t.wire("bytes")),
];

impl Metric {
    const fn new(name: &'static str, label: &'static str, of: fn(&Tracker) -> f64) -> Self {
        Self { name, label, decimals: 0, goal: None, over_blank: false, of }
    }

    const fn decimals(self, decimals: usize) -> Self {
        Self { decimals, ..self }
    }

    const fn goal(self, goal: f64) -> Self {
        Self { goal: Some(goal), ..self }
    }

    const fn over_blank(self) -> Self {
        Self { over_blank: true, ..self }
    }

    fn figure(&self, tracker: &Tracker, blank: &Tracker) -> f64 {
        let beneath = if self.over_blank { (self.of)(blank) } else { 0.0 };
        (self.of)(tracker) - beneath
    }

    fn cell(&self, figure: f64) -> String {
        format!("{figure:.*}", self.decimals)
    }
}

impl Report {
    /// # Errors
    /// When the record is none that we know.
    pub fn take(&mut self, record: &Value) -> Result<()> {
        let id = text(record, "id")?;
        if !self.trackers.iter().any(|tracker| tracker.id == id) {
            self.trackers.push(Tracker { id: id.to_owned(), ..Tracker::default() });
        }
        let tracker = self.trackers.iter_mut().find(|tracker| tracker.id == id).context("a tracker just added")?;
        match text(record, "kind")? {
            "visit" => tracker.visits.push(Visit::read(record)?),
            "wire" => tracker.wire = record.clone(),
            _ => tracker.about = record.clone(),
        }
        Ok(())
    }

    /// # Errors
    /// When nothing was measured.
    pub fn print(&self, rounds: u32) -> Result<()> {
        let (blank, trackers) = self.trackers.split_first().context("nothing was measured")?;
        println!("\nwhat a tracker costs a page: medians of {rounds} visits, minus the same page without a tracker\n");
        self.print_row("", |tracker| tracker.name().to_owned(), "goal");
        self.print_row("version", |tracker| tracker.version().to_owned(), "");
        for metric in &METRICS {
            let goal = metric.goal.map_or(String::new(), |goal| format!("<= {}", metric.cell(goal)));
            self.print_row(metric.label, |tracker| metric.cell(metric.figure(tracker, blank)), &goal);
        }
        let beneath = |name: &str| METRICS.iter().find(|metric| metric.name == name).map_or(0.0, |m| (m.of)(blank));
        println!(
            "\nthe page alone: load {:.1} ms, click {:.0} µs (99 of 100 within {:.0}), heap {:.0} KB",
            beneath("load_ms"),
            beneath("click_us_p50"),
            beneath("click_us_p99"),
            beneath("heap_kb")
        );
        let clicks: usize = trackers.iter().map(|tracker| tracker.later_clicks().len()).min().unwrap_or(0);
        println!("{clicks} later clicks each. Umami and Plausible, as installed, send nothing for a click.");
        Ok(())
    }

    fn print_row(&self, label: &str, cell: impl Fn(&Tracker) -> String, goal: &str) {
        let cells: String = self.trackers.iter().skip(1).map(|tracker| format!("{:>13}", cell(tracker))).collect();
        println!("{label:<32}{cells}{goal:>10}");
    }

    /// # Errors
    /// When nothing was measured.
    pub fn to_json(&self) -> Result<Value> {
        let (blank, trackers) = self.trackers.split_first().context("nothing was measured")?;
        let figures = |of: &dyn Fn(&Metric) -> Option<f64>| -> Map<String, Value> {
            METRICS.iter().filter_map(|metric| Some((metric.name.to_owned(), json!(of(metric)?)))).collect()
        };
        let rows: Vec<Value> = trackers
            .iter()
            .map(|tracker| {
                json!({
                    "id": tracker.id, "name": tracker.name(), "version": tracker.version(), "visits": tracker.visits.len(),
                    "later_clicks": tracker.later_clicks().len(),
                    "over_blank": figures(&|metric| Some(metric.figure(tracker, blank))),
                })
            })
            .collect();
        Ok(json!({
            "trackers": rows,
            "blank": figures(&|metric| metric.over_blank.then(|| (metric.of)(blank))),
            "goals": figures(&|metric| metric.goal),
        }))
    }
}

impl Tracker {
    fn name(&self) -> &str {
        self.about["name"].as_str().unwrap_or(&self.id)
    }

    fn version(&self) -> &str {
        self.about["version"].as_str().unwrap_or_default()
    }

    fn about(&self, name: &str) -> f64 {
        self.about[name].as_f64().unwrap_or_default()
    }

    fn wire(&self, name: &str) -> f64 {
        self.wire[name].as_f64().unwrap_or_default()
    }

    fn middle(&self, of: fn(&Visit) -> f64) -> f64 {
        median(&self.visits.iter().map(of).collect::<Vec<_>>())
    }

    fn a_click(&self, of: fn(&Visit) -> f64) -> f64 {
        median(&self.visits.iter().map(|visit| of(visit) / visit.click_us.len() as f64).collect::<Vec<_>>())
    }

    /// The first click of a visit pays for compiling; it has a line of its own.
    fn later_clicks(&self) -> Vec<f64> {
        self.visits.iter().flat_map(|visit| &visit.click_us[1..]).copied().collect()
    }
}

impl Visit {
    fn read(record: &Value) -> Result<Self> {
        let clicks = record["click_us"].as_array().filter(|clicks| !clicks.is_empty());
        let click_us = clicks.and_then(|clicks| clicks.iter().map(Value::as_f64).collect());
        Ok(Self {
            load_ms: number(record, "load_ms")?,
            click_us: click_us.with_context(|| format!("no clicks in {record}"))?,
            rest_us: number(record, "rest_us")?,
            layouts: number(record, "layouts")?,
            styles: number(record, "styles")?,
            heap_kb: number(record, "heap_kb")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(id: &str, load_ms: f64, click_us: [f64; 3]) -> Value {
        json!({"kind": "visit", "id": id, "load_ms": load_ms, "click_us": click_us, "rest_us": 30, "layouts": 3, "styles": 0,
               "heap_kb": load_ms * 100.0})
    }

    #[test]
    fn takes_the_page_itself_off_but_not_from_what_a_tracker_forces() {
        let mut report = Report::default();
        for (load_ms, extra) in [(1.0, 0.0), (9.0, 5.0), (2.0, 1.0)] {
            report.take(&visit("blank", load_ms, [50.0, 10.0, 10.0])).expect("a visit");
            report.take(&visit("ours", load_ms + 3.0, [90.0, 20.0 + extra, 22.0])).expect("a visit");
        }
        let json = report.to_json().expect("a report");
        let ours = &json["trackers"][0]["over_blank"];
        assert_eq!((&ours["load_ms"], &ours["heap_kb"]), (&json!(3.0), &json!(300.0)));
        // Later clicks: 20, 22, 25, 22, 21, 22; those of the page 10 each.
        assert_eq!((&ours["first_click_us"], &ours["click_us_p50"]), (&json!(40.0), &json!(12.0)));
        assert_eq!((&ours["click_us_p99"], &ours["layouts"]), (&json!(15.0), &json!(1.0)));
        assert_eq!(json["blank"]["load_ms"], json!(2.0));
    }

    #[test]
    fn refuses_a_visit_without_clicks() {
        let record = json!({"kind": "visit", "id": "ours", "load_ms": 1, "click_us": [], "rest_us": 0, "layouts": 0});
        assert!(Report::default().take(&record).is_err());
    }
}
