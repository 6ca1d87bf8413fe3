//! Whether a page that stays open for long stays as it is.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::Format;
use crate::bench::tracker::number;
use crate::bench::tracker::statistics::{mean, slope};

/// How much more the last quarter may hold than the first, beyond what the page without a tracker gained.
const GROWTH_MAX: f64 = 0.05;
const SAMPLES_MIN: usize = 8;

/// Samples, half a minute apart.
#[derive(Default)]
pub struct Soak {
    samples: Vec<Sample>,
}

struct Sample {
    minutes: f64,
    requests: f64,
    blank: Held,
    tracked: Held,
}

/// What a page holds after garbage collection.
struct Held {
    heap_kb: f64,
    listeners: f64,
    nodes: f64,
    storage_chars: f64,
}

/// How a page's heap went; the means of its first and last quarter, since one sample may be far off.
struct Course {
    first_kb: f64,
    last_kb: f64,
    kb_a_minute: f64,
}

impl Soak {
    /// Keeps a sample, and shows it to a person at once.
    ///
    /// # Errors
    /// When the record is no sample.
    pub fn take(&mut self, record: &Value, format: Format) -> Result<()> {
        let sample = Sample::read(record)?;
        if format == Format::Text {
            if self.samples.is_empty() {
                println!("\nminutes   heap KB (page alone)   listeners (page alone)   nodes   storage   requests");
            }
            sample.print();
        }
        self.samples.push(sample);
        Ok(())
    }

    /// # Errors
    /// When the heap did not stay flat, or there are too few samples to say.
    pub fn print(&self, format: Format) -> Result<()> {
        if self.samples.len() < SAMPLES_MIN {
            bail!("{} samples are too few to say anything", self.samples.len());
        }
        let (blank, tracked) = (self.course(|sample| &sample.blank), self.course(|sample| &sample.tracked));
        let growth = growth(&blank, &tracked);
        match format {
            Format::Json => println!(
                "{}",
                json!({
                    "tracked": tracked.to_json(), "blank": blank.to_json(), "growth": growth, "growth_max": GROWTH_MAX,
                    "samples": self.samples.iter().map(Sample::to_json).collect::<Vec<_>>(),
                })
            ),
            Format::Text => {
                tracked.print("with the tracker");
                blank.print("the page alone");
                println!(
                    "growth beyond the page's own: {:+.1} of 100, at most {:.0}",
                    growth * 100.0,
                    GROWTH_MAX * 100.0
                );
            }
        }
        if growth > GROWTH_MAX {
            bail!("the heap did not stay flat");
        }
        Ok(())
    }

    fn course(&self, page: fn(&Sample) -> &Held) -> Course {
        let points: Vec<(f64, f64)> =
            self.samples.iter().map(|sample| (sample.minutes, page(sample).heap_kb)).collect();
        let heaps: Vec<f64> = points.iter().map(|(_, heap_kb)| *heap_kb).collect();
        let quarter = heaps.len() / 4;
        Course {
            first_kb: mean(&heaps[..quarter]),
            last_kb: mean(&heaps[heaps.len() - quarter..]),
            kb_a_minute: slope(&points),
        }
    }
}

/// The share by which the tracked page's heap grew beyond what the other one gained.
fn growth(blank: &Course, tracked: &Course) -> f64 {
    let own = (tracked.last_kb - tracked.first_kb) - (blank.last_kb - blank.first_kb).max(0.0);
    own / tracked.first_kb
}

impl Course {
    fn print(&self, page: &str) {
        println!(
            "{page}: heap {:.0} KB in the first quarter, {:.0} KB in the last, {:+.2} KB a minute",
            self.first_kb, self.last_kb, self.kb_a_minute
        );
    }

    fn to_json(&self) -> Value {
        json!({"first_quarter_kb": self.first_kb, "last_quarter_kb": self.last_kb, "kb_a_minute": self.kb_a_minute})
    }
}

impl Sample {
    fn read(record: &Value) -> Result<Self> {
        Ok(Self {
            minutes: number(record, "minutes")?,
            requests: number(record, "requests")?,
            blank: Held::read(&record["blank"])?,
            tracked: Held::read(&record["tracked"])?,
        })
    }

    fn print(&self) {
        let Self { minutes, requests, blank, tracked } = self;
        println!(
            "{minutes:>7.1}{:>10.0} {:>12}{:>14} {:>12}{:>16}{:>10}{requests:>11}",
            tracked.heap_kb,
            format!("({:.0})", blank.heap_kb),
            tracked.listeners,
            format!("({})", blank.listeners),
            tracked.nodes,
            tracked.storage_chars,
        );
    }

    fn to_json(&self) -> Value {
        let Self { minutes, requests, blank, tracked } = self;
        json!({"minutes": minutes, "requests": requests, "blank": blank.to_json(), "tracked": tracked.to_json()})
    }
}

impl Held {
    fn read(record: &Value) -> Result<Self> {
        let of = |name| number(record, name);
        let (heap_kb, listeners) = (of("heap_kb")?, of("listeners")?);
        Ok(Self { heap_kb, listeners, nodes: of("nodes")?, storage_chars: of("storage_chars")? })
    }

    fn to_json(&self) -> Value {
        let Self { heap_kb, listeners, nodes, storage_chars } = self;
        json!({"heap_kb": heap_kb, "listeners": listeners, "nodes": nodes, "storage_chars": storage_chars})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What [`growth`] says of half an hour in which the page alone and the tracked one hold so much.
    fn growth_of(heap_kb: impl Fn(f64) -> (f64, f64)) -> f64 {
        let held = |heap_kb: f64| json!({"heap_kb": heap_kb, "listeners": 1, "nodes": 1, "storage_chars": 0});
        let mut soak = Soak::default();
        for n in 0..60 {
            let minutes = f64::from(n) / 2.0;
            let (blank, tracked) = heap_kb(minutes);
            let record = json!({"minutes": minutes, "requests": 1, "blank": held(blank), "tracked": held(tracked)});
            soak.take(&record, Format::Json).expect("a sample");
        }
        growth(&soak.course(|sample| &sample.blank), &soak.course(|sample| &sample.tracked))
    }

    #[test]
    fn a_heap_that_only_swings_is_flat_and_one_that_creeps_is_not() {
        let swing = |minutes: f64| if minutes.fract() > 0.0 { 300.0 } else { 0.0 };
        assert!(growth_of(|minutes| (1800.0, 2000.0 + swing(minutes))).abs() < GROWTH_MAX);
        assert!(growth_of(|minutes| (1800.0, 2000.0 + swing(minutes) + 10.0 * minutes)) > GROWTH_MAX);
    }

    #[test]
    fn what_the_page_alone_gains_is_not_the_trackers() {
        assert_eq!(growth_of(|minutes| (1800.0 + 20.0 * minutes, 2000.0 + 20.0 * minutes)), 0.0);
        assert!(growth_of(|minutes| (1800.0 - 20.0 * minutes, 2000.0)).abs() < GROWTH_MAX);
    }

    #[test]
    fn says_nothing_of_too_few_samples() {
        assert!(Soak::default().print(Format::Json).is_err());
    }
}
