//! When waiting logs become a file.

use std::time::Duration;

use super::units;
use crate::queue::SealRule;

/// The one rule: a file is sealed when it is full, or holds enough logs for long enough, or its oldest log has waited
/// too long, or its UTC day has turned, or the collector shuts down.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct SealConfig {
    /// Logs that make a file worth sealing after --seal-after
    #[arg(long, value_name = "N", env = "LOGDIG_MIN_LOGS", default_value_t = 100,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub min_logs: u64,

    /// Seal a file of at least --min-logs logs when it is this old
    #[arg(long, value_name = "TIME", env = "LOGDIG_SEAL_AFTER", default_value = "5m", value_parser = units::duration)]
    pub seal_after: Duration,

    /// Seal any file whose oldest log has waited this long, however few logs it holds
    #[arg(long, value_name = "TIME", env = "LOGDIG_SEAL_AT_LATEST", default_value = "1h",
          value_parser = units::duration)]
    pub seal_at_latest: Duration,

    /// Seal a file that has reached this size
    #[arg(long, value_name = "SIZE", env = "LOGDIG_FILE_BYTES_MAX", default_value = "64MiB",
          value_parser = units::bytes)]
    pub file_bytes_max: u64,
}

impl SealConfig {
    /// The rule with these bounds.
    pub fn rule(&self) -> SealRule {
        SealRule {
            min_logs: self.min_logs,
            seal_after: self.seal_after,
            seal_at_latest: self.seal_at_latest,
            file_bytes_max: self.file_bytes_max,
        }
    }
}
