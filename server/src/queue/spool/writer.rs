//! The one writer of a spool: group commit, sealing, and getting well after failures. It knows no threads.

use std::{
    collections::{BTreeMap, btree_map},
    io::{self, ErrorKind},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use logdig_store::{Content, Day, ObjectKey, SealedBatch, disk::Disk};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info, warn};

use super::{
    SpoolOptions,
    names::SpoolName,
    recover::Recovered,
    segment::{self, Segment},
};
use crate::{
    clock::{Clock, RunningTime},
    queue::{AcceptError, Accepted, Entry, SealRule, repeats::RepeatWindow, seal::OpenBatch},
};

/// While something is open or broken the writer looks at the clock and the disk at least this often: clocks are set,
/// machines sleep, disks come back.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// An entry and who waits for its end.
pub struct Pending {
    pub entry: Entry,
    pub answer: oneshot::Sender<Result<Accepted, AcceptError>>,
}

/// Why nothing is accepted at present, if so. Written by the writer, read by whoever asks for readiness.
pub type Trouble = Arc<Mutex<Option<String>>>;

/// Owns all files of the spool that are not sealed yet.
pub struct Writer {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    rule: SealRule,
    clock: Clock,
    time: RunningTime,
    /// At most one a day takes lines. Each holds at least one.
    open: BTreeMap<Day, Segment>,
    /// These take no more lines and are on their way to be handed out.
    closing: Vec<(Day, Segment)>,
    next_n: u64,
    repeats: RepeatWindow,
    sealed: mpsc::UnboundedSender<SealedBatch>,
    trouble: Trouble,
}

/// What goes into one file with one write and one sync.
struct Chunk {
    day: Day,
    text: Vec<u8>,
    n_logs: u64,
    n_bytes_offered: u64,
    answers: Vec<(oneshot::Sender<Result<Accepted, AcceptError>>, Accepted)>,
}

impl Chunk {
    fn new(day: Day) -> Chunk {
        Chunk { day, text: Vec::new(), n_logs: 0, n_bytes_offered: 0, answers: Vec::new() }
    }

    fn add(&mut self, pending: Pending, repeats: &mut RepeatWindow) {
        let mut accepted = Accepted::default();
        for (line, key) in pending.entry.lines() {
            if key.is_some_and(|key| !repeats.insert(key)) {
                accepted.n_repeats += 1;
            } else {
                self.text.extend_from_slice(line.as_bytes());
                accepted.n_stored += 1;
            }
        }
        self.n_logs += accepted.n_stored as u64;
        self.n_bytes_offered += pending.entry.n_bytes() as u64;
        self.answers.push((pending.answer, accepted));
    }
}

impl Writer {
    /// Goes on with what a recovery found.
    pub fn new(
        options: &SpoolOptions,
        found: Recovered,
        sealed: mpsc::UnboundedSender<SealedBatch>,
        trouble: Trouble,
    ) -> Writer {
        let mut writer = Writer {
            disk: options.disk.clone(),
            dir: options.dir.clone(),
            rule: options.rule,
            clock: options.clock.clone(),
            time: RunningTime::start((options.clock)()),
            open: BTreeMap::new(),
            closing: Vec::new(),
            next_n: found.next_n,
            repeats: found.repeats,
            sealed,
            trouble,
        };
        for (day, segment) in found.open {
            writer.close(day);
            writer.open.insert(day, segment);
        }
        writer
    }

    /// Makes a group of entries durable, each whole or not at all, and answers each.
    ///
    /// Entries of a day share one write and one sync, unless a file gets full in between. Files are written one after
    /// another; so when an entry repeats an earlier one of its group, that one is in the same write or is decided.
    pub fn commit(&mut self, group: &mut Vec<Pending>) {
        group.sort_by_key(|pending| pending.entry.day());
        let mut chunk: Option<Chunk> = None;
        for pending in group.drain(..) {
            let (day, n_bytes) = (pending.entry.day(), pending.entry.n_bytes() as u64);
            if let Some(full) = chunk.take_if(|chunk| chunk.day != day || self.is_full(chunk, n_bytes)) {
                self.write(full);
            }
            let chunk = chunk.get_or_insert_with(|| {
                self.make_room(day, n_bytes);
                Chunk::new(day)
            });
            chunk.add(pending, &mut self.repeats);
        }
        if let Some(last) = chunk {
            self.write(last);
        }
    }

    fn is_full(&self, chunk: &Chunk, n_bytes: u64) -> bool {
        let n_bytes_now = self.open.get(&chunk.day).map_or(0, Segment::n_bytes);
        self.rule.is_full_for(n_bytes_now + chunk.n_bytes_offered, n_bytes)
    }

    fn make_room(&mut self, day: Day, n_bytes: u64) {
        if self.open.get(&day).is_some_and(|segment| self.rule.is_full_for(segment.n_bytes(), n_bytes)) {
            self.close(day);
        }
    }

    fn write(&mut self, chunk: Chunk) {
        let result = self.append(&chunk);
        let now = (self.clock)();
        match &result {
            Ok(()) => self.repeats.commit(now),
            Err(error) => {
                self.repeats.roll_back();
                self.note(&format!("lines of {} not written", chunk.day), error);
                // The file can't grow any more; another one may.
                if error.kind() == ErrorKind::FileTooLarge {
                    self.close(chunk.day);
                }
            }
        }
        let refusal = result.err().map(|error| AcceptError::Unavailable(error.to_string()));
        for (answer, accepted) in chunk.answers {
            // Who does not wait any more has gone away: its lines are durable all the same.
            drop(answer.send(refusal.clone().map_or(Ok(accepted), Err)));
        }
    }

    fn append(&mut self, chunk: &Chunk) -> io::Result<()> {
        // All repeats: what they repeat is durable already.
        if chunk.text.is_empty() {
            return Ok(());
        }
        let now = self.time.at((self.clock)());
        let segment = match self.open.entry(chunk.day) {
            btree_map::Entry::Occupied(open) => open.into_mut(),
            btree_map::Entry::Vacant(place) => {
                let name = SpoolName::Open { day: chunk.day, n: self.next_n };
                self.next_n += 1;
                place.insert(Segment::create(&*self.disk, self.dir.join(name.to_string()))?)
            }
        };
        let result = segment.mend(&*self.disk).and_then(|()| segment.commit(&chunk.text, chunk.n_logs, now));
        if result.is_err() && segment.n_logs() == 0 {
            // Nothing in it was acknowledged. If it can't be removed, the next start removes it.
            drop(self.disk.remove(segment.path()));
            self.open.remove(&chunk.day);
        }
        result
    }

    /// Seals what is due, all of it when `finishing`, and tries to put right what failed.
    pub fn tend(&mut self, finishing: bool) {
        let due: Vec<Day> = self.times_left(finishing).filter(|(_, left)| left.is_zero()).map(|(day, _)| day).collect();
        due.into_iter().for_each(|day| self.close(day));
        let mended = self.mend_all();
        match self.hand_out_all().and(mended) {
            Err(error) => self.note("spool is not in order", &error),
            Ok(()) if self.is_in_trouble() => self.try_the_disk(),
            Ok(()) => {}
        }
    }

    /// How long the writer may rest when nothing comes in; `None`: for ever.
    pub fn rest(&mut self) -> Option<Duration> {
        if self.is_in_trouble() || !self.closing.is_empty() {
            return Some(LOOK_AGAIN);
        }
        self.times_left(false).map(|(_, left)| left.min(LOOK_AGAIN)).min()
    }

    fn times_left(&mut self, finishing: bool) -> impl Iterator<Item = (Day, Duration)> {
        let now = (self.clock)();
        let running = self.time.at(now);
        let rule = self.rule;
        self.open.iter().map(move |(day, segment)| {
            let (n_logs, n_bytes, age) = (segment.n_logs(), segment.n_bytes(), segment.age(running));
            (*day, rule.time_left(&OpenBatch { day: *day, n_logs, n_bytes, age }, now, finishing))
        })
    }

    /// From here on the segment of `day` takes no more lines; the next line of that day begins another one.
    fn close(&mut self, day: Day) {
        self.closing.extend(self.open.remove_entry(&day));
    }

    /// Tries them all, so that one that is past help holds nobody up.
    fn mend_all(&mut self) -> io::Result<()> {
        self.open.values_mut().map(|segment| segment.mend(&*self.disk)).fold(Ok(()), io::Result::and)
    }

    fn hand_out_all(&mut self) -> io::Result<()> {
        let mut result = Ok(());
        for (day, mut segment) in std::mem::take(&mut self.closing) {
            if let Err(error) = self.hand_out(day, &mut segment) {
                self.closing.push((day, segment));
                result = Err(error);
            }
        }
        result
    }

    /// Gives a segment its last name, and when that is durable hands it out: now the cut is fixed.
    fn hand_out(&self, day: Day, segment: &mut Segment) -> io::Result<()> {
        segment.mend(&*self.disk)?;
        // All lines are durable, but a failed write that was taken back may still lie behind them on the disk.
        segment.sync()?;
        let key = ObjectKey { day, sha256: segment.content_hash() };
        let path = self.dir.join(SpoolName::Sealed(key).to_string());
        segment.rename(&*self.disk, path.clone())?;
        self.disk.sync_dir(&self.dir)?;
        info!(object.key = %key, batch.n_logs = segment.n_logs(), "sealed a batch");
        // Nobody listens only while the spool is being dropped; then the file waits for the next start.
        drop(self.sealed.send(SealedBatch { day, sha256: key.sha256, content: Content::File(path) }));
        Ok(())
    }

    /// Writes a little, to know whether writing works again: a collector that says it is not ready gets no requests
    /// that could show it.
    fn try_the_disk(&mut self) {
        let path = self.dir.join("probe");
        let attempt = || {
            let mut file = segment::replace(&*self.disk, &path)?;
            file.append(&[b'\n'; 4096])?;
            file.sync_data()?;
            self.disk.remove(&path)
        };
        match attempt() {
            Ok(()) => {
                info!("spool is in order again");
                *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
            Err(error) => self.note("disk does not take a probe", &error),
        }
    }

    fn is_in_trouble(&self) -> bool {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Notes a failure; told to people once, when trouble begins.
    fn note(&self, what: &str, error: &io::Error) {
        let words = format!("{what}: {error}");
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.is_none() {
            error!("{words}; requests are answered with 503 until it works again");
        }
        *trouble = Some(words);
    }

    /// The last tend: what could not be sealed is told, and stays for the next start.
    pub fn finish(&mut self) {
        self.tend(true);
        let n_left = self.open.len() + self.closing.len();
        if n_left > 0 {
            warn!("{n_left} files could not be sealed and wait in the spool for the next start");
        }
    }
}
