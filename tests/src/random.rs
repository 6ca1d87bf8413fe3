//! Random numbers that can be had again: a failure names its seed.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

/// A xorshift generator: enough to choose moments and sizes.
pub struct Random(u64);

impl Random {
    /// The seed of this run: `LOGDIG_TEST_SEED`, else the time of day.
    ///
    /// # Panics
    ///
    /// When the variable is set and no number.
    pub fn seed() -> u64 {
        let of_the_clock = || {
            let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970");
            u64::from(since_1970.subsec_nanos()) ^ since_1970.as_secs()
        };
        env::var("LOGDIG_TEST_SEED").map_or_else(|_| of_the_clock(), |seed| seed.parse().expect("a seed is a number"))
    }

    /// A generator that gives the same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        // Zero would stay zero.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number from 0 to just below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
