//! The day's salt in a file: of the data folder, or beside the logs, where several collectors share it.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use logdig_store::shared_file::{Look, SharedFileError, Version};
use logdig_store::{Day, SharedFile};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{SALT_BYTES, Salt, SaltError, Salts};

/// The file's name: in it the day, a blank and the salt as 64 hex digits, on a line.
pub const FILE_NAME: &str = "daily-salt";

/// Each attempt fails only when another collector's succeeded, and then its salt is ours.
const N_ATTEMPTS: usize = 5;

/// Keeps the day's salt in a file.
#[derive(Debug)]
pub struct FileSalts {
    // Owned by whoever changes the file, so that a request that is dropped in the middle leaves no half change.
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug)]
struct Kept {
    file: Arc<dyn SharedFile>,
    current: Option<(Day, Salt)>,
    /// The last day on which the file was found to hold nothing of another day.
    clean_on: Option<Day>,
}

impl FileSalts {
    /// Salts that are kept in `file`, which is read when the first one is asked for.
    pub fn new(file: Arc<dyn SharedFile>) -> Self {
        Self { kept: Arc::new(Mutex::new(Kept { file, current: None, clean_on: None })) }
    }
}

#[async_trait]
impl Salts for FileSalts {
    async fn salt(&self, day: Day) -> Result<Salt, SaltError> {
        let mut kept = self.kept.clone().lock_owned().await;
        match kept.of(day) {
            Some(salt) => Ok(salt),
            None => in_background(async move { kept.turn(day).await }).await,
        }
    }

    async fn forget_others(&self, day: Day) -> Result<(), SaltError> {
        let mut kept = self.kept.clone().lock_owned().await;
        if kept.of(day).is_some() || kept.clean_on == Some(day) {
            return Ok(());
        }
        in_background(async move { kept.forget(day).await }).await
    }
}

async fn in_background<T: Send + 'static>(
    work: impl Future<Output = Result<T, SharedFileError>> + Send + 'static,
) -> Result<T, SaltError> {
    let done = tokio::spawn(work).await;
    let done = done
        .unwrap_or_else(|error| Err(SharedFileError { place: FILE_NAME.to_owned(), source: io::Error::other(error) }));
    done.map_err(|error| SaltError { place: error.place, source: error.source })
}

impl Kept {
    fn of(&self, day: Day) -> Option<Salt> {
        let (kept_day, salt) = self.current.as_ref()?;
        is_of(*kept_day, day).then(|| salt.clone())
    }

    /// The salt in the file when it is of this day; else a new one in its place.
    async fn turn(&mut self, day: Day) -> Result<Salt, SharedFileError> {
        self.current = None;
        for _ in 0..N_ATTEMPTS {
            let known = match self.look(day).await? {
                Found::OfDay(salt) => return Ok(salt),
                Found::Other(version) => Some(version),
                Found::Nothing => None,
            };
            let salt = Salt::new_random();
            // Nothing hashed with it may be stored before it is durable: after a crash there would be another.
            if self.file.replace(line(day, &salt).as_bytes(), known.as_ref()).await?.is_some() {
                self.current = Some((day, salt.clone()));
                return Ok(salt);
            }
        }
        let source = io::Error::other("others replace it again and again");
        Err(SharedFileError { place: self.file.place(), source })
    }

    /// Forgets what is not of this day: at once here, then in the file.
    async fn forget(&mut self, day: Day) -> Result<(), SharedFileError> {
        self.current = None;
        let known = match self.look(day).await? {
            Found::OfDay(_) => return Ok(()),
            Found::Other(version) => Some(version),
            Found::Nothing => None,
        };
        // Where another collector was quicker, the next look finds what it did.
        if self.file.clear(known.as_ref()).await? {
            self.clean_on = Some(day);
        }
        Ok(())
    }

    /// What the file holds. A salt of the day is kept from then on.
    async fn look(&mut self, day: Day) -> Result<Found, SharedFileError> {
        let Look::New { content, version } = self.file.look(None).await? else { return Ok(Found::Nothing) };
        match parse(&Zeroizing::new(content)) {
            Some((kept_day, salt)) if is_of(kept_day, day) => {
                self.current = Some((kept_day, salt.clone()));
                Ok(Found::OfDay(salt))
            }
            _ => Ok(Found::Other(version)),
        }
    }
}

enum Found {
    OfDay(Salt),
    /// Of another day, cleared, or what a crash left.
    Other(Version),
    Nothing,
}

/// Whether a day's requests get the salt of `kept_day`.
fn is_of(kept_day: Day, day: Day) -> bool {
    kept_day == day || kept_day.before() == day
}

fn parse(content: &[u8]) -> Option<(Day, Salt)> {
    let (day, hex) = std::str::from_utf8(content).ok()?.strip_suffix('\n')?.split_once(' ')?;
    if hex.len() != 2 * SALT_BYTES || !hex.is_ascii() {
        return None;
    }
    let mut bytes = Zeroizing::new([0; SALT_BYTES]);
    for (nth, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * nth..2 * nth + 2], 16).ok()?;
    }
    Some((day.parse().ok()?, Salt(Arc::new(bytes))))
}

fn line(day: Day, salt: &Salt) -> Zeroizing<String> {
    let mut text = Zeroizing::new(format!("{day} "));
    // One copy of the secret: a text that grows leaves others behind.
    text.reserve_exact(2 * SALT_BYTES + 1);
    salt.0.iter().for_each(|byte| push_hex(&mut text, *byte));
    text.push('\n');
    text
}

fn push_hex(text: &mut String, byte: u8) {
    for digit in [byte >> 4, byte & 15] {
        text.push(char::from_digit(digit.into(), 16).expect("four bits are a hex digit"));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::time::{Duration, Instant};

    use jiff::SignedDuration;
    use logdig_store::LocalFile;
    use tempfile::TempDir;

    use super::*;
    use crate::clock::TestClock;
    use crate::daily_key::{LOOK_INTERVAL, forget_in_time};

    const DAY: &str = "2026-11-25";
    const NEXT_DAY: &str = "2026-11-26";

    fn day(text: &str) -> Day {
        text.parse().expect("a day")
    }

    fn folder() -> TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    fn open(dir: &TempDir) -> FileSalts {
        FileSalts::new(Arc::new(LocalFile::secret(dir.path(), FILE_NAME)))
    }

    /// A visitor's key of a day: what of a salt others see.
    async fn key(salts: &FileSalts, of: &str) -> String {
        let salt = salts.salt(day(of)).await.expect("it can be kept");
        salt.key("token", "agent", [192, 0, 2, 1].into())
    }

    /// The salt in the file, as bytes and as they are written.
    fn secret(dir: &TempDir) -> [Vec<u8>; 2] {
        let text = fs::read_to_string(dir.path().join(FILE_NAME)).expect("it is there");
        let (_, salt) = parse(text.as_bytes()).expect("it is whole");
        let hex = text.trim().split_once(' ').expect("a day and a salt").1;
        [salt.0.to_vec(), hex.as_bytes().to_vec()]
    }

    fn holds(dir: &TempDir, secret: &[Vec<u8>; 2]) -> bool {
        let files = fs::read_dir(dir.path()).expect("it is there");
        let contents = files.map(|file| fs::read(file.expect("a name").path()).expect("it can be read"));
        let has = |content: &[u8], part: &[u8]| content.windows(part.len()).any(|window| window == part);
        contents.into_iter().any(|content| secret.iter().any(|part| has(&content, part)))
    }

    #[tokio::test]
    async fn one_salt_a_day_over_restarts_and_nothing_is_left_of_it_on_the_next() {
        let dir = folder();
        let salts = open(&dir);
        let first = key(&salts, DAY).await;
        assert_eq!(key(&salts, DAY).await, first);
        assert_eq!(key(&open(&dir), DAY).await, first, "after a restart on the same day");
        let old = secret(&dir);
        assert!(holds(&dir, &old), "the test finds what it looks for");

        let next = key(&salts, NEXT_DAY).await;
        assert_ne!(next, first);
        assert!(!holds(&dir, &old));
        assert_eq!(key(&salts, DAY).await, next, "a request of the last moment of the day before");
        assert_ne!(key(&open(&dir), "2026-11-27").await, next, "after a restart on another day");
    }

    #[tokio::test]
    async fn a_clock_that_was_far_ahead_keeps_no_salt_until_then() {
        let dir = folder();
        let salts = open(&dir);
        let ahead = key(&salts, "2030-01-01").await;
        let old = secret(&dir);
        assert_ne!(key(&salts, DAY).await, ahead);
        assert!(!holds(&dir, &old));
    }

    #[tokio::test]
    async fn only_the_owner_may_read_it() {
        let dir = folder();
        key(&open(&dir), DAY).await;
        let facts = fs::metadata(dir.path().join(FILE_NAME)).expect("it is there");
        assert_eq!(facts.permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn what_is_removed_was_overwritten_first() {
        let dir = folder();
        let salts = open(&dir);
        key(&salts, DAY).await;
        // A second name shows what becomes of the bytes on the disk.
        let witness = dir.path().join("witness");
        fs::hard_link(dir.path().join(FILE_NAME), &witness).expect("a second name");
        let before = fs::metadata(&witness).expect("it is there").ino();
        salts.forget_others(day(NEXT_DAY)).await.expect("it can be removed");
        assert_eq!(fs::metadata(&witness).expect("it is there").ino(), before);
        assert!(fs::read(&witness).expect("it can be read").iter().all(|byte| *byte == 0));
    }

    #[tokio::test]
    async fn what_a_crash_left_is_no_salt() {
        for torn in [&b""[..], &[0; 76], b"2026-11-25 abc\n", b"\xff", b"2026-11-25 \xc3\xa9"] {
            let dir = folder();
            fs::write(dir.path().join(FILE_NAME), torn).expect("written");
            fs::write(dir.path().join("daily-salt.new"), torn).expect("written");
            let first = key(&open(&dir), DAY).await;
            assert_eq!(key(&open(&dir), DAY).await, first, "{torn:?}");
        }
    }

    #[tokio::test]
    async fn a_salt_that_can_t_be_kept_is_not_used() {
        let dir = folder();
        let salts = open(&dir);
        // Where the new file would go there is a folder, which can't be opened for writing.
        fs::create_dir(dir.path().join("daily-salt.new")).expect("a folder");
        let error = salts.salt(day(DAY)).await.expect_err("no place");
        assert!(error.to_string().contains(FILE_NAME), "{error}");
        fs::remove_dir(dir.path().join("daily-salt.new")).expect("removed");
        key(&salts, DAY).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_day_s_salt_is_forgotten_at_midnight_also_when_nobody_comes() {
        let dir = folder();
        let clock = TestClock::at("2026-11-25T23:59:59Z");
        let salts = Arc::new(open(&dir));
        key(&salts, DAY).await;
        let old = secret(&dir);
        let forgetting = tokio::spawn(forget_in_time(salts.clone(), clock.clock()));
        tokio::time::advance(LOOK_INTERVAL * 3).await;
        salts.forget_others(day(DAY)).await.expect("nothing to do");
        assert!(holds(&dir, &old), "its day is not over");
        clock.step(SignedDuration::from_secs(1));
        let until = Instant::now() + Duration::from_secs(20);
        while holds(&dir, &old) {
            assert!(Instant::now() < until, "it is still there");
            tokio::time::advance(LOOK_INTERVAL).await;
        }
        forgetting.abort();
    }
}
