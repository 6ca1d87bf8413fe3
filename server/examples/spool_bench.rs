//! Measures the spool alone: `cargo run --release -p logdig --example spool_bench [SECONDS [FOLDER]]`.
//!
//! Tasks stand for connections: each offers an entry of one line, waits until it is durable, and offers the next.
//! CPU is that of the whole process: making the entry, the hand-over, the write, the hash, the sync, the answer.

use std::{
    io::{self, BufRead},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use logdig::{
    clock::system_clock,
    data_dir::DataDir,
    queue::{
        Entry, Queue, RepeatKey, SealRule,
        spool::{Spool, SpoolOptions},
    },
};
use logdig_store::{
    Day, LocalStore,
    disk::{Disk, DiskFile, FileFacts, RealDisk},
};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let seconds = args.next().map_or(Ok(3), |text| text.parse()).context("SECONDS is a whole number")?;
    let parent = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    println!(
        "tasks  entries/s  CPU us/entry  fdatasyncs/s  entries/fdatasync  fdatasync p50/p99 ms  answer p50/p99 ms"
    );
    for n_tasks in [1, 16, 64, 256, 1024] {
        let dir = tempfile::tempdir_in(&parent).context("making a folder for the spool")?;
        runtime.block_on(measure(dir.path(), n_tasks, Duration::from_secs(seconds)))?;
    }
    let dir = tempfile::tempdir_in(&parent).context("making a folder for the spool")?;
    runtime.block_on(measure_start(dir.path()))
}

async fn measure(dir: &Path, n_tasks: u64, duration: Duration) -> Result<()> {
    let data = DataDir::open(dir)?;
    let disk = Arc::new(TimedDisk::default());
    let mut options = SpoolOptions::in_data_dir(&data, SealRule::default(), system_clock());
    options.disk = disk.clone();
    let spool = Arc::new(Spool::open(options, &LocalStore::new(data.store())).await?);
    let until = Instant::now() + duration;
    let (start, cpu) = (Instant::now(), cpu_time()?);
    let mut tasks = tokio::task::JoinSet::new();
    let n_made = Arc::new(AtomicU64::new(0));
    for _ in 0..n_tasks {
        let (spool, n_made) = (spool.clone(), n_made.clone());
        tasks.spawn(async move { offer(&spool, &n_made, until).await });
    }
    let mut answers: Vec<Duration> = tasks.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    let (took, cpu) = (start.elapsed().as_secs_f64(), cpu_time()? - cpu);
    let mut syncs = disk.0.lock().map_or_else(|_| Vec::new(), |mut syncs| std::mem::take(&mut *syncs));
    let (n_entries, n_syncs) = (answers.len() as f64, syncs.len() as f64);
    println!(
        "{n_tasks:5}  {:9.0}  {:12.2}  {:12.0}  {:17.1}  {:>20}  {:>17}",
        n_entries / took,
        cpu.as_secs_f64() * 1e6 / n_entries,
        n_syncs / took,
        n_entries / n_syncs,
        p50_p99(&mut syncs),
        p50_p99(&mut answers),
    );
    Ok(())
}

async fn offer(spool: &Spool, n_made: &AtomicU64, until: Instant) -> Result<Vec<Duration>> {
    let mut answers = Vec::new();
    while Instant::now() < until {
        let n = n_made.fetch_add(1, Ordering::Relaxed);
        let start = Instant::now();
        spool.accept(entry(n)).await?;
        answers.push(start.elapsed());
    }
    Ok(answers)
}

/// How long a start takes that has a million ids to remember, and what memory they take.
async fn measure_start(dir: &Path) -> Result<()> {
    const N_ENTRIES: u64 = 1000;
    let data = DataDir::open(dir)?;
    let store = LocalStore::new(data.store());
    let options = SpoolOptions::in_data_dir(&data, SealRule::default(), system_clock());
    let spool = Spool::open(options.clone(), &store).await?;
    let start = Instant::now();
    for n in 0..N_ENTRIES {
        let mut many = Entry::new(Day::of(jiff::Timestamp::now()));
        (0..1000).for_each(|i| add_click(&mut many, n * 1000 + i));
        spool.accept(many).await?;
    }
    println!("a million lines in entries of 1000: {:.2} s", start.elapsed().as_secs_f64());
    spool.finish().await;
    logdig::batch::run(&spool, &store).await;
    drop(spool);
    let start = Instant::now();
    let spool = Spool::open(options, &store).await?;
    let (took, n_ids) = (start.elapsed().as_secs_f64(), spool.report().n_ids);
    println!("start with {n_ids} ids to remember: {took:.2} s; resident then: {}", resident()?);
    Ok(())
}

fn resident() -> Result<String> {
    let status = std::fs::read_to_string("/proc/self/status").context("memory is read as Linux gives it")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS is there")?;
    Ok(line.trim().to_owned())
}

fn entry(n: u64) -> Entry {
    let mut entry = Entry::new(Day::of(jiff::Timestamp::now()));
    add_click(&mut entry, n);
    entry
}

/// One click, 420 bytes, as a tracker's would be stored.
fn add_click(entry: &mut Entry, n: u64) {
    const HEAD: &str = r#"{"timestamp":"2026-11-25T12:00:00.000Z","token":"VkdzNVRsRlZVa1JVTURWUFVsVk9WVk5WT1U4PQ","user_key":"tR2VQSYNNXJwbBQLijmR","current_page":"http://site.com/index.html","link":"http://site.com/page.html","x":110,"y":400,"spent_milli_sec":1120,"user_agent":"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_2) AppleWebKit/537.36","load_count":2,"type":"click","id":""#;
    let id = format!("k3Vq0bX1sUq2yZ7a.{n}");
    let received_at = jiff::Timestamp::now().to_string();
    let line = [HEAD, &id, r#"","received_at":""#, &received_at, "\"}\n"].concat();
    entry.push(&line, Some(RepeatKey::of("VkdzNVRsRlZVa1JVTURWUFVsVk9WVk5WT1U4PQ", &id)));
}

fn p50_p99(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).map_or(0.0, |time| time.as_secs_f64() * 1e3);
    format!("{:.2} / {:.2}", at(0.5), at(0.99))
}

/// CPU time of this process so far: user and system, in the kernel's ticks of 10 ms.
fn cpu_time() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("CPU time is read as Linux gives it")?;
    // The name of the program, the only field that may hold spaces, ends with a parenthesis.
    let fields = stat.rsplit_once(')').context("/proc/self/stat has a name")?.1;
    let ticks = fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>());
    Ok(Duration::from_millis(10 * ticks.sum::<Result<u64, _>>()?))
}

/// The machine's disk, with the time of each sync of data.
#[derive(Clone, Default)]
struct TimedDisk(Arc<Mutex<Vec<Duration>>>);

struct TimedFile {
    file: Box<dyn DiskFile>,
    disk: TimedDisk,
}

impl DiskFile for TimedFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.append(bytes)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        let start = Instant::now();
        let result = self.file.sync_data();
        if let Ok(mut syncs) = self.disk.0.lock() {
            syncs.push(start.elapsed());
        }
        result
    }

    fn truncate(&mut self, n_bytes: u64) -> io::Result<()> {
        self.file.truncate(n_bytes)
    }
}

impl Disk for TimedDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(TimedFile { file: RealDisk.create(path)?, disk: self.clone() }))
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dir(dir)
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
        RealDisk.read(path)
    }

    fn facts(&self, path: &Path) -> io::Result<FileFacts> {
        RealDisk.facts(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)
    }
}
