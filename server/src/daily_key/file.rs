//! The day's salt in a file of the data folder, for a collector that runs alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use logdig_store::Day;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{SALT_BYTES, Salt, SaltError, Salts};

/// The file's name in the data folder: the day, a blank and the salt as 64 hex digits, on a line.
const FILE_NAME: &str = "daily-salt";
/// What it is called until it is durable.
const NEW_FILE_NAME: &str = "daily-salt.new";

/// Keeps the day's salt in `daily-salt` of a data folder, readable by its owner alone.
#[derive(Debug)]
pub struct FileSalts {
    // Owned by whoever changes the file, so that a request that is dropped in the middle leaves no half change.
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug)]
struct Kept {
    dir: PathBuf,
    current: Option<(Day, Salt)>,
}

impl FileSalts {
    /// Reads the salt that a data folder holds; a folder without one, or with a torn one, holds none.
    ///
    /// # Errors
    ///
    /// When the file is there and can't be read.
    pub fn open(dir: &Path) -> Result<Self, SaltError> {
        let current = read(&dir.join(FILE_NAME)).map_err(at(dir))?;
        Ok(Self { kept: Arc::new(Mutex::new(Kept { dir: dir.to_owned(), current })) })
    }
}

#[async_trait]
impl Salts for FileSalts {
    async fn salt(&self, day: Day) -> Result<Salt, SaltError> {
        let mut kept = self.kept.clone().lock_owned().await;
        match kept.of(day) {
            Some(salt) => Ok(salt),
            None => in_background(move || kept.turn(day)).await,
        }
    }

    async fn forget_others(&self, day: Day) -> Result<(), SaltError> {
        let mut kept = self.kept.clone().lock_owned().await;
        match kept.of(day) {
            Some(_) => Ok(()),
            None => in_background(move || kept.forget()).await,
        }
    }
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SaltError> + Send + 'static,
) -> Result<T, SaltError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(SaltError { place: FILE_NAME.to_owned(), source: io::Error::other(error) }))
}

impl Kept {
    fn of(&self, day: Day) -> Option<Salt> {
        let (kept_day, salt) = self.current.as_ref()?;
        (*kept_day == day || kept_day.before() == day).then(|| salt.clone())
    }

    fn turn(&mut self, day: Day) -> Result<Salt, SaltError> {
        self.forget()?;
        let salt = Salt::new_random();
        write(&self.dir, day, &salt).map_err(at(&self.dir))?;
        self.current = Some((day, salt.clone()));
        Ok(salt)
    }

    fn forget(&mut self) -> Result<(), SaltError> {
        self.current = None;
        let names = [FILE_NAME, NEW_FILE_NAME];
        names.iter().try_for_each(|name| wipe(&self.dir.join(name))).map_err(at(&self.dir))
    }
}

fn at(dir: &Path) -> impl FnOnce(io::Error) -> SaltError {
    let place = dir.join(FILE_NAME).display().to_string();
    move |source| SaltError { place, source }
}

fn read(path: &Path) -> io::Result<Option<(Day, Salt)>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(parse(&Zeroizing::new(text))),
        // Not even text: what a crash left.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => Ok(None),
        Err(error) => Err(error),
    }
}

fn parse(text: &str) -> Option<(Day, Salt)> {
    let (day, hex) = text.strip_suffix('\n')?.split_once(' ')?;
    if hex.len() != 2 * SALT_BYTES || !hex.is_ascii() {
        return None;
    }
    let mut bytes = Zeroizing::new([0; SALT_BYTES]);
    for (nth, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * nth..2 * nth + 2], 16).ok()?;
    }
    Some((day.parse().ok()?, Salt(Arc::new(bytes))))
}

/// Nothing hashed with it may be stored before it is durable: after a crash there would be another.
fn write(dir: &Path, day: Day, salt: &Salt) -> io::Result<()> {
    let mut text = Zeroizing::new(format!("{day} "));
    // One copy of the secret: a text that grows leaves others behind.
    text.reserve_exact(2 * SALT_BYTES + 1);
    salt.0.iter().for_each(|byte| push_hex(&mut text, *byte));
    text.push('\n');
    let new = dir.join(NEW_FILE_NAME);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, dir.join(FILE_NAME))?;
    File::open(dir)?.sync_all()
}

fn push_hex(text: &mut String, byte: u8) {
    for digit in [byte >> 4, byte & 15] {
        text.push(char::from_digit(digit.into(), 16).expect("four bits are a hex digit"));
    }
}

/// Overwrites the file before it removes its name, so that nothing of it stays on disks that write in place.
fn wipe(path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let n_bytes = file.metadata()?.len().min(4096);
    file.write_all(&vec![0; usize::try_from(n_bytes).unwrap_or_default()])?;
    file.sync_all()?;
    fs::remove_file(path)?;
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::time::{Duration, Instant};

    use jiff::SignedDuration;
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
        FileSalts::open(dir.path()).expect("it can be read")
    }

    /// A visitor's key of a day: what of a salt others see.
    async fn key(salts: &FileSalts, of: &str) -> String {
        let salt = salts.salt(day(of)).await.expect("it can be kept");
        salt.key("token", "agent", [192, 0, 2, 1].into())
    }

    /// The salt in the file, as bytes and as they are written.
    fn secret(dir: &TempDir) -> [Vec<u8>; 2] {
        let text = fs::read_to_string(dir.path().join(FILE_NAME)).expect("it is there");
        let (_, salt) = parse(&text).expect("it is whole");
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
            fs::write(dir.path().join(NEW_FILE_NAME), torn).expect("written");
            let first = key(&open(&dir), DAY).await;
            assert_eq!(key(&open(&dir), DAY).await, first, "{torn:?}");
        }
    }

    #[tokio::test]
    async fn a_salt_that_can_t_be_kept_is_not_used() {
        let dir = folder();
        let salts = open(&dir);
        // Where the new file would go there is a folder, which can't be opened for writing.
        fs::create_dir(dir.path().join(NEW_FILE_NAME)).expect("a folder");
        let error = salts.salt(day(DAY)).await.expect_err("no place");
        assert!(error.to_string().contains(FILE_NAME), "{error}");
        fs::remove_dir(dir.path().join(NEW_FILE_NAME)).expect("removed");
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
