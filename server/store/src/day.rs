//! The UTC day that a file's lines were received on.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

/// A day in UTC, written `2026-11-25`.
///
/// The day of a log is the day of its `received_at`, which the collector stamps; so a visitor's clock has no part in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

impl Day {
    /// The UTC day that `instant` lies in.
    pub fn of(instant: Timestamp) -> Day {
        Day(TimeZone::UTC.to_datetime(instant).date())
    }

    /// The first instant after this day.
    pub fn end(self) -> Timestamp {
        let start = TimeZone::UTC.to_timestamp(self.0.to_datetime(jiff::civil::Time::midnight()));
        let day = SignedDuration::from_hours(24);
        // Only the last day of the year 9999 has no end that a `Timestamp` can hold.
        start.and_then(|start| start.checked_add(day)).unwrap_or(Timestamp::MAX)
    }

    /// The day before this one; the first day of all has none before it and gives itself.
    pub fn before(self) -> Day {
        Day(self.0.yesterday().unwrap_or(self.0))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

/// The text is no day of the form `2026-11-25`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a day of the form 2026-11-25")]
pub struct DayError(String);

impl FromStr for Day {
    type Err = DayError;

    /// Takes exactly what [`Display`](fmt::Display) writes, so that a day has one name only.
    fn from_str(text: &str) -> Result<Day, DayError> {
        let date = Date::strptime("%Y-%m-%d", text).map_err(|_| DayError(text.to_owned()))?;
        let day = Day(date);
        if text.len() == "2026-11-25".len() && day.to_string() == text {
            Ok(day)
        } else {
            Err(DayError(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_utc_and_ends_at_midnight() {
        let last: Timestamp = "2026-11-25T23:59:59.999Z".parse().unwrap();
        let day = Day::of(last);
        assert_eq!(day.to_string(), "2026-11-25");
        assert_eq!(day.end(), "2026-11-26T00:00:00Z".parse().unwrap());
        assert_eq!(Day::of(day.end()).to_string(), "2026-11-26");
        assert_eq!(Day::of(day.end()).before(), day);
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        assert_eq!(Day::of(Timestamp::MAX).end(), Timestamp::MAX);
        assert_eq!(Day::of(Timestamp::MIN).to_string().parse::<Day>().ok(), None, "no folder is named for a year < 0");
    }

    #[test]
    fn reads_only_what_it_writes() {
        assert_eq!("2026-11-25".parse::<Day>().unwrap().to_string(), "2026-11-25");
        let wrong = [
            "",
            "2026-11-5",
            "2026-11-31",
            "2026-11-25 ",
            "+2026-11-25",
            "26-11-25",
            "20261125",
            "2026-11-25/",
            "_logdig",
        ];
        for text in wrong {
            assert_eq!(text.parse::<Day>(), Err(DayError(text.to_owned())), "{text}");
        }
    }
}
