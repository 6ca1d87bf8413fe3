//! The settings file: the flags' names and values, as TOML.
//!
//! ```toml
//! listen = "0.0.0.0:8300"
//! min-logs = 1000
//! seal-after = "1m"
//! ```

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};
use thiserror::Error;
use toml::{Table, Value};

/// Read from the working directory when no other file is named and it is there.
const DEFAULT_FILE: &str = "logdig.toml";

/// The settings of one file, each known and of the right type.
#[derive(Debug, Default)]
pub struct SettingsFile {
    values: Vec<(String, String)>,
}

/// Why a settings file was not taken.
#[derive(Debug, Error)]
pub enum FileError {
    /// The file that was named can't be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not TOML.
    #[error("`{path}` is not TOML: {reason}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where, and what was expected there.
        reason: String,
    },
    /// A key that is no setting, or a value that the setting can't take.
    #[error("`{key}` in `{path}`: {reason}")]
    Setting {
        /// The file.
        path: PathBuf,
        /// The key as it stands in the file.
        key: String,
        /// What was expected.
        reason: String,
    },
}

impl SettingsFile {
    /// Reads the `named` file, else `logdig.toml` in the working directory, else nothing.
    ///
    /// # Errors
    ///
    /// When the file can't be read, is not TOML, or holds anything that `command` has no setting for.
    pub fn load(named: Option<&Path>, command: &Command) -> Result<Self, FileError> {
        let path = named.unwrap_or(Path::new(DEFAULT_FILE));
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, path, command),
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(FileError::Read { path: path.to_owned(), source }),
        }
    }

    fn parse(text: &str, path: &Path, command: &Command) -> Result<Self, FileError> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| FileError::Syntax {
            path: path.to_owned(),
            reason: error.to_string().trim_end().to_owned(),
        })?;
        let mut values = Vec::with_capacity(table.len());
        for (key, value) in table {
            match checked(command, &key, &value) {
                Ok(value) => values.push((key, value)),
                Err(reason) => return Err(FileError::Setting { path: path.to_owned(), key, reason }),
            }
        }
        Ok(Self { values })
    }

    /// The same command line with this file's values as its defaults.
    pub fn as_defaults(&self, command: Command) -> Command {
        command.mut_args(|arg| self.as_default(arg)).mut_subcommands(|command| self.as_defaults(command))
    }

    fn as_default(&self, arg: Arg) -> Arg {
        match self.values.iter().find(|(key, _)| is_setting(&arg, key)) {
            Some((_, value)) => arg.default_value(value.clone()),
            None => arg,
        }
    }
}

/// A setting is a flag that can also be set by a variable; the others say what to do now, not how to run.
/// Where the settings are is not one of them.
fn is_setting(arg: &Arg, key: &str) -> bool {
    arg.get_long() == Some(key) && arg.get_env().is_some() && key != "config"
}

fn find_setting<'a>(command: &'a Command, key: &str) -> Option<&'a Arg> {
    let own = command.get_arguments().find(|arg| is_setting(arg, key));
    own.or_else(|| command.get_subcommands().find_map(|command| find_setting(command, key)))
}

/// The value as it would stand on the command line, when the flag `key` would take it.
fn checked(command: &Command, key: &str, value: &Value) -> Result<String, String> {
    let arg = find_setting(command, key).ok_or("there is no such setting; `logdig serve --help` lists them")?;
    let text = as_text(arg, value)?;
    let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
    if !is_switch {
        let alone = Command::new("").no_binary_name(true).arg(arg.clone());
        alone.try_get_matches_from([format!("--{key}={text}")]).map_err(|error| reason(&error))?;
    }
    Ok(text)
}

/// A switch wants a boolean, a count a whole number, all else (with its unit, if it has one) a string.
fn as_text(arg: &Arg, value: &Value) -> Result<String, String> {
    let expected = match (arg.get_action(), value) {
        (ArgAction::SetTrue, Value::Boolean(on)) => return Ok(on.to_string()),
        (ArgAction::SetTrue, _) => "true or false",
        (_, Value::Integer(number)) if is_count(arg) => return Ok(number.to_string()),
        (_, _) if is_count(arg) => "a whole number",
        (_, Value::String(text)) => return Ok(text.clone()),
        (_, _) => "a string",
    };
    Err(format!("expected {expected}, not {} {}", article(value), value.type_str()))
}

/// The help text calls the value of every count `N`.
fn is_count(arg: &Arg) -> bool {
    arg.get_value_names().is_some_and(|names| names.iter().any(|name| name.as_str() == "N"))
}

fn article(value: &Value) -> &'static str {
    if matches!(value, Value::Integer(_) | Value::Array(_)) { "an" } else { "a" }
}

/// What the value's own check said; clap wraps it in words about a command line that nobody wrote.
fn reason(error: &clap::Error) -> String {
    match error.source() {
        Some(source) => source.to_string(),
        None => error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        Command::new("logdig").subcommand(
            Command::new("serve")
                .arg(Arg::new("listen").long("listen").env("LOGDIG_LISTEN").default_value("127.0.0.1:8300"))
                .arg(Arg::new("dry").long("dry").action(ArgAction::SetTrue))
                .arg(Arg::new("demo").long("demo").env("LOGDIG_DEMO").action(ArgAction::SetTrue))
                .arg(
                    Arg::new("min_logs")
                        .long("min-logs")
                        .value_name("N")
                        .env("LOGDIG_MIN_LOGS")
                        .value_parser(clap::value_parser!(u64).range(1..)),
                ),
        )
    }

    fn parse(text: &str) -> Result<SettingsFile, String> {
        SettingsFile::parse(text, Path::new("logdig.toml"), &command()).map_err(|error| error.to_string())
    }

    #[test]
    fn values_become_defaults_of_their_flags() {
        let file = parse("listen = \"[::1]:1\"\nmin-logs = 7\ndemo = true").expect("known settings");
        let matches = file.as_defaults(command()).get_matches_from(["logdig", "serve"]);
        let serve = matches.subcommand_matches("serve").expect("it was asked for");
        assert_eq!(serve.get_one::<String>("listen").map(String::as_str), Some("[::1]:1"));
        assert_eq!(serve.get_one::<u64>("min_logs"), Some(&7));
        assert!(serve.get_flag("demo"));
    }

    #[test]
    fn says_which_key_is_wrong_and_why() {
        let cases = [
            ("lissten = \"a\"", "`lissten` in `logdig.toml`: there is no such setting"),
            ("dry = true", "`dry` in `logdig.toml`: there is no such setting"),
            ("min-logs = \"7\"", "`min-logs` in `logdig.toml`: expected a whole number, not a string"),
            ("min-logs = 0", "`min-logs` in `logdig.toml`: 0 is not in 1.."),
            ("listen = 8300", "`listen` in `logdig.toml`: expected a string, not an integer"),
            ("demo = \"yes\"", "`demo` in `logdig.toml`: expected true or false, not a string"),
            ("[serve]\nlisten = \"a\"", "`serve` in `logdig.toml`: there is no such setting"),
            ("listen", "`logdig.toml` is not TOML: "),
        ];
        for (text, expected) in cases {
            let error = parse(text).expect_err(text);
            assert!(error.starts_with(expected), "{text:?} gave {error:?}");
        }
    }

    #[test]
    fn a_named_file_must_be_there() {
        let error = SettingsFile::load(Some(Path::new("/nowhere/logdig.toml")), &command()).expect_err("no such file");
        assert!(error.to_string().starts_with("cannot read `/nowhere/logdig.toml`: "), "{error}");
    }
}
