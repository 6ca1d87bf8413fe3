//! What the program says about itself, on stderr.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// The program's own log.
#[derive(clap::Args, Clone, Debug)]
pub struct LogConfig {
    /// What to log: a level (error, warn, info, debug, trace), or levels by module
    #[arg(long, value_name = "FILTER", env = "LOGDIG_LOG", default_value = "info", value_parser = filter)]
    pub log: String,

    /// How to log
    #[arg(long, value_name = "FORMAT", env = "LOGDIG_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// How a line of the program's log looks.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for programs.
    Json,
}

fn filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// Sends the program's log to stderr from here on. A second call in one process changes nothing.
pub fn init(config: &LogConfig) {
    let ansi = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&config.log))
        .with_writer(std::io::stderr)
        .with_ansi(ansi)
        .with_target(false)
        // It would tell so by `eprintln!`, which panics where stderr is a full disk: the very day we must stay up.
        .log_internal_errors(false);
    // It only fails when a log is set up already, as in tests: that one then stays.
    let _ = match config.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}
