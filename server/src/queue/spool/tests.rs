//! The spool with its thread: what the model, which drives the writer alone, can't show.

use std::{path::PathBuf, sync::Arc};

use jiff::SignedDuration;
use logdig_store::{LocalStore, disk::sim::SimDisk};

use super::*;
use crate::{clock::TestClock, queue::RepeatKey};

const NOON: &str = "2026-11-25T12:00:00Z";

/// A data folder on the machine's disk.
struct Folder {
    dir: DataDir,
    clock: TestClock,
    _temp: tempfile::TempDir,
}

impl Folder {
    fn new() -> Folder {
        let temp = tempfile::tempdir().unwrap();
        Folder { dir: DataDir::open(temp.path()).unwrap(), clock: TestClock::at(NOON), _temp: temp }
    }

    fn options(&self) -> SpoolOptions {
        SpoolOptions::in_data_dir(&self.dir, SealRule::default(), self.clock.clock())
    }

    async fn spool(&self) -> Spool {
        open(self.options()).await
    }

    fn open_file(&self) -> PathBuf {
        let names = std::fs::read_dir(self.dir.spool()).unwrap().map(|entry| entry.unwrap().path());
        let open: Vec<PathBuf> = names.filter(|path| path.extension().is_some_and(|end| end == "open")).collect();
        assert_eq!(open.len(), 1);
        open[0].clone()
    }
}

async fn open(options: SpoolOptions) -> Spool {
    let root = options.dir.with_file_name("store");
    let store = LocalStore::on_disk(root, options.disk.clone());
    Spool::open(options, &store).await.unwrap()
}

fn line(id: &str) -> String {
    format!("{{\"token\":\"t\",\"id\":\"{id}\",\"received_at\":\"{NOON}\"}}\n")
}

fn entry(ids: &[&str]) -> Entry {
    let mut entry = Entry::new("2026-11-25".parse().unwrap());
    ids.iter().for_each(|id| entry.push(&line(id), Some(RepeatKey::of("t", id))));
    entry
}

#[tokio::test]
async fn goes_on_after_a_crash() {
    let folder = Folder::new();
    folder.spool().await.accept(entry(&["a", "b"])).await.unwrap();
    let spool = folder.spool().await;
    assert_eq!(*spool.report(), RecoveryReport { n_logs: 2, n_ids: 2, ..RecoveryReport::default() });
    let accepted = spool.accept(entry(&["b", "c"])).await.unwrap();
    assert_eq!(accepted, Accepted { n_stored: 1, n_repeats: 1 });
    assert_eq!(std::fs::read_to_string(folder.open_file()).unwrap(), ["a", "b", "c"].map(line).concat());
}

#[tokio::test]
async fn puts_what_is_not_whole_aside() {
    let folder = Folder::new();
    folder.spool().await.accept(entry(&["a"])).await.unwrap();
    let torn = format!("{}{}", &line("b")[..20], line("c"));
    let path = folder.open_file();
    std::fs::write(&path, line("a") + &torn).unwrap();
    let spool = folder.spool().await;
    assert_eq!((spool.report().n_logs, spool.report().n_bytes_aside), (1, torn.len() as u64));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), line("a"));
    let aside: Vec<PathBuf> =
        std::fs::read_dir(folder.dir.aside()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(aside.len(), 1);
    assert_eq!(std::fs::read_to_string(&aside[0]).unwrap(), torn);
    assert!(aside[0].file_name().unwrap().to_str().unwrap().starts_with("2026-11-25.0.open."));
}

#[tokio::test]
async fn a_log_ages_while_the_process_is_down() {
    let folder = Folder::new();
    folder.spool().await.accept(entry(&["a"])).await.unwrap();
    folder.clock.step(SignedDuration::from_mins(59));
    let spool = folder.spool().await;
    spool.accept(entry(&["b"])).await.unwrap();
    folder.clock.step(SignedDuration::from_mins(1));
    let batch = spool.next_batch().await.unwrap().unwrap();
    let logdig_store::Content::File(path) = batch.content else { panic!("a spool's batches are files") };
    assert_eq!(std::fs::read_to_string(path).unwrap(), ["a", "b"].map(line).concat());
}

#[tokio::test]
async fn a_sealed_batch_comes_back_until_it_is_forgotten() {
    let folder = Folder::new();
    let spool = folder.spool().await;
    spool.accept(entry(&["a"])).await.unwrap();
    spool.finish().await;
    let batch = spool.next_batch().await.unwrap().unwrap();
    drop(spool);
    let spool = folder.spool().await;
    let again = spool.next_batch().await.unwrap().unwrap();
    assert_eq!(again.key(), batch.key());
    assert_eq!(spool.accept(entry(&["a"])).await.unwrap().n_repeats, 1, "its ids are remembered");
    spool.forget(&again).await.unwrap();
    drop(spool);
    assert_eq!(folder.spool().await.report().n_sealed, 0);
}

#[tokio::test]
async fn too_much_waiting_is_refused_at_once() {
    let folder = Folder::new();
    let spool = open(SpoolOptions { n_waiting_bytes_max: line("a").len(), ..folder.options() }).await;
    let refused = spool.accept(entry(&["a", "b"])).await.unwrap_err();
    assert_eq!(refused, AcceptError::Busy { n_waiting_bytes: 0, n_waiting_bytes_max: line("a").len() });
    for id in ["a", "b"] {
        // The bytes of an answered entry wait no more, once the writer is done with its group.
        while spool.n_waiting_bytes() > 0 {
            tokio::task::yield_now().await;
        }
        spool.accept(entry(&[id])).await.unwrap();
    }
}

#[tokio::test]
async fn recovers_by_itself_when_the_disk_does() {
    let disk = SimDisk::new(1, &["/d", "/d/spool", "/d/aside"]);
    let clock = TestClock::at(NOON);
    let folder = Folder::new();
    let options = SpoolOptions {
        dir: "/d/spool".into(),
        aside: "/d/aside".into(),
        disk: Arc::new(disk.clone()),
        clock: clock.clock(),
        ..folder.options()
    };
    let spool = open(options).await;
    spool.accept(entry(&["a"])).await.unwrap();
    disk.fail_one_in(1);
    assert!(matches!(spool.accept(entry(&["b"])).await, Err(AcceptError::Unavailable(_))));
    assert!(spool.ready().is_err());
    disk.fail_one_in(0);
    // Without any request: a balancer sends none to a collector that is not ready.
    while spool.ready().is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(spool.accept(entry(&["a", "b"])).await.unwrap(), Accepted { n_stored: 1, n_repeats: 1 });
    spool.finish().await;
    assert!(spool.next_batch().await.unwrap().is_some());
    assert!(spool.next_batch().await.unwrap().is_none());
}
