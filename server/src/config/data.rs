//! Where everything is kept.

use std::path::PathBuf;

/// The one folder that a collector owns.
#[derive(clap::Args, Clone, Debug)]
pub struct DataConfig {
    /// Folder for logs and services; made when missing
    #[arg(long = "data", value_name = "DIR", env = "LOGDIG_DATA", default_value = "logdig-data")]
    pub dir: PathBuf,
}
