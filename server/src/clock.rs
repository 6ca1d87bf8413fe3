//! Time comes in from outside, so that tests own it.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

/// Tells the time of day.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The machine's clock.
pub fn system_clock() -> Clock {
    Arc::new(Timestamp::now)
}

/// How long it is from `earlier` to `later`; zero when `later` is the earlier one, as after a clock was set back.
pub fn time_between(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or_default()
}

/// A time that never goes back, made from a clock that may be set.
///
/// Ages are measured on it: when the clock is set back the ages stand still for a moment, instead of falling by hours.
#[derive(Clone, Copy, Debug)]
pub struct RunningTime {
    seen: Timestamp,
    elapsed: Duration,
}

impl RunningTime {
    /// Starts at zero.
    pub fn start(now: Timestamp) -> RunningTime {
        RunningTime { seen: now, elapsed: Duration::ZERO }
    }

    /// Moves on to what the clock says now, and gives the time since the start.
    pub fn at(&mut self, now: Timestamp) -> Duration {
        self.elapsed += time_between(self.seen, now);
        self.seen = now;
        self.elapsed
    }
}

/// A clock that stands still until a test moves it.
#[cfg(any(test, feature = "test-support"))]
#[derive(Clone, Debug)]
pub struct TestClock(Arc<std::sync::Mutex<Timestamp>>);

#[cfg(any(test, feature = "test-support"))]
impl TestClock {
    /// Stands at `start`; e.g. `2026-11-25T12:00:00Z`.
    ///
    /// # Panics
    /// When `start` is no instant.
    pub fn at(start: &str) -> TestClock {
        TestClock(Arc::new(std::sync::Mutex::new(start.parse().expect("an instant"))))
    }

    /// Moves the clock; a negative step sets it back.
    pub fn step(&self, by: jiff::SignedDuration) {
        *self.0.lock().expect("no test panics here") += by;
    }

    /// What it says.
    pub fn now(&self) -> Timestamp {
        *self.0.lock().expect("no test panics here")
    }

    /// The clock as others see it.
    pub fn clock(&self) -> Clock {
        let this = self.clone();
        Arc::new(move || this.now())
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn running_time_never_goes_back() {
        let start: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let at = |s| start + SignedDuration::from_secs(s);
        let mut time = RunningTime::start(start);
        assert_eq!(time.at(at(60)), Duration::from_secs(60));
        assert_eq!(time.at(at(-3600)), Duration::from_secs(60), "set back by an hour");
        assert_eq!(time.at(at(-3590)), Duration::from_secs(70));
    }
}
