//! Small files beside the logs that all collectors of one store share.

use std::{fmt, io, time::Duration};

use async_trait::async_trait;

mod local;

pub use local::LocalFile;

/// Where such files are in a store elsewhere, so that nobody takes them for logs.
pub const SHARED_FOLDER: &str = "_logdig/";

/// Tells one content of a file from the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(pub(crate) String);

/// What was found when looking for something new.
#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    /// The file is as it was.
    Same,
    /// There is no such file.
    Absent,
    /// Something else than before.
    New {
        /// All of it.
        content: Vec<u8>,
        /// What it is told by.
        version: Version,
    },
}

/// The file can't be read or replaced.
#[derive(Debug, thiserror::Error)]
#[error("`{place}`: {source}")]
pub struct SharedFileError {
    /// Where the file is, or would be: a path or `s3://…`.
    pub place: String,
    /// Why.
    pub source: io::Error,
}

/// A small file that several programs read and replace, as a whole and never blindly.
///
/// - A reader sees the old content or the new one, never a part or a mixture, also after a crash.
/// - `replace` and `clear` are for those who know what they replace: of two at a time one succeeds, and the other is told
///   to look again.
/// - What `replace` returned for is durable.
///
/// `shared_file_contract` (feature `test-support`) holds each kind of file to this.
#[async_trait]
pub trait SharedFile: Send + Sync + fmt::Debug {
    /// Where it is, for people: a path or `s3://…`.
    fn place(&self) -> String;

    /// How often looking for a change is worth what it costs.
    fn look_interval(&self) -> Duration;

    /// What is there now, unless it is still `known`.
    async fn look(&self, known: Option<&Version>) -> Result<Look, SharedFileError>;

    /// Puts `content` where `known` was (`None`: where no file was); `None` when there is something else by now.
    async fn replace(&self, content: &[u8], known: Option<&Version>) -> Result<Option<Version>, SharedFileError>;

    /// Makes `known` unreadable: the file is gone or empty afterwards. `false` when there is something else by now.
    async fn clear(&self, known: Option<&Version>) -> Result<bool, SharedFileError>;
}
