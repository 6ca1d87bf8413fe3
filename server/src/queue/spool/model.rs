//! The spool against a disk that fails and loses power: a model test of the promises in `design.md`.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    path::Path,
    sync::Arc,
    time::Duration,
};

use jiff::SignedDuration;
use logdig_store::{
    Content, ContentHash, Day, LocalStore, ObjectKey, SealedBatch, Store,
    disk::{Disk, sim::SimDisk},
};
use proptest::{collection::vec, prelude::*};
use tokio::sync::{mpsc, oneshot};

use super::{
    SpoolOptions,
    recover::recover,
    writer::{Pending, Trouble, Writer},
};
use crate::{
    clock::TestClock,
    queue::{Entry, RepeatKey, SealRule},
};

/// What happens to a collector, from outside.
#[derive(Clone, Debug)]
enum Step {
    /// These requests wait at the same time. Each is a list of ids; `None` is a log without an id.
    Send(Vec<Vec<Option<u8>>>),
    /// Time passes, or the clock is set back, and the writer looks up.
    Wait(i64),
    /// One sealed batch is moved to the store, if there is one.
    Store,
    /// From now on one call to the disk in so many fails; 0 ends it.
    Fail(u64),
    /// The power goes this many calls later.
    CutPowerIn(u64),
    /// The process is stopped in good order and started again.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    // Few ids, so that repeats are common.
    let id = prop_oneof![6 => (0..24_u8).prop_map(Some), 1 => Just(None)];
    let entry = vec(id, 1..4);
    prop_oneof![
        8 => vec(entry, 1..5).prop_map(Step::Send),
        3 => (-90..1200_i64).prop_map(Step::Wait),
        3 => Just(Step::Store),
        1 => prop_oneof![Just(0), 2..12_u64].prop_map(Step::Fail),
        2 => (1..40_u64).prop_map(Step::CutPowerIn),
        1 => Just(Step::Restart),
    ]
}

/// A collector on a simulated disk, and what its senders know.
struct Model {
    disk: SimDisk,
    clock: TestClock,
    options: SpoolOptions,
    store: LocalStore,
    running: Option<Running>,
    /// Every line that was ever offered, and the id in it.
    offered: BTreeMap<String, Option<u8>>,
    /// Ids that were answered with success.
    acknowledged: BTreeSet<u8>,
    /// Lines without an id that were.
    acknowledged_lines: BTreeSet<String>,
    /// What was sealed, as it was then.
    sealed: BTreeMap<ObjectKey, Vec<u8>>,
}

struct Running {
    writer: Writer,
    sealed: mpsc::UnboundedReceiver<SealedBatch>,
}

impl Model {
    fn new(seed: u64) -> Model {
        let disk = SimDisk::new(seed, &["/data", "/data/spool", "/data/aside"]);
        // In the evening, so that the day turns in most runs.
        let clock = TestClock::at("2026-11-25T22:00:00Z");
        let minute = Duration::from_secs(60);
        let rule = SealRule { min_logs: 6, seal_after: 5 * minute, seal_at_latest: 30 * minute, file_bytes_max: 1500 };
        let options = SpoolOptions {
            dir: "/data/spool".into(),
            aside: "/data/aside".into(),
            rule,
            clock: clock.clock(),
            disk: Arc::new(disk.clone()),
            n_waiting_bytes_max: usize::MAX,
            rebuild_within: None,
        };
        let store = LocalStore::on_disk("/data/store", Arc::new(disk.clone()));
        Model {
            disk,
            clock,
            options,
            store,
            running: None,
            offered: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            acknowledged_lines: BTreeSet::new(),
            sealed: BTreeMap::new(),
        }
    }

    async fn run(&mut self, steps: &[Step]) {
        for step in steps {
            self.start().await;
            match step {
                Step::Send(entries) => self.send(entries),
                Step::Wait(seconds) => {
                    self.clock.step(SignedDuration::from_secs(*seconds));
                    self.running().writer.tend(false);
                }
                Step::Store => self.store_one().await,
                Step::Fail(one_in) => self.disk.fail_one_in(*one_in),
                Step::CutPowerIn(n_calls) => self.disk.cut_power_in(*n_calls),
                Step::Restart => {
                    self.running().writer.finish();
                    self.running = None;
                }
            }
            self.note_sealed_files();
        }
        self.settle().await;
    }

    /// Starts the collector when it is not running, as often as it takes.
    async fn start(&mut self) {
        if !self.disk.has_power() {
            self.power_cut();
        }
        while self.running.is_none() {
            match recover(&self.options, &self.store).await {
                Ok(found) => {
                    let (sender, sealed) = mpsc::unbounded_channel();
                    found.sealed.iter().for_each(|batch| sender.send(batch.clone()).unwrap());
                    let writer = Writer::new(&self.options, found, sender, Trouble::default());
                    self.running = Some(Running { writer, sealed });
                }
                Err(_) if self.disk.has_power() => self.disk.fail_one_in(0),
                Err(_) => self.disk.restart(),
            }
        }
    }

    fn running(&mut self) -> &mut Running {
        self.running.as_mut().unwrap()
    }

    fn send(&mut self, entries: &[Vec<Option<u8>>]) {
        let mut group = Vec::new();
        let mut waiting = Vec::new();
        for ids in entries {
            let (entry, lines) = self.entry(ids);
            let (answer, answered) = oneshot::channel();
            group.push(Pending { entry, answer });
            waiting.push((answered, lines));
        }
        let Running { writer, .. } = self.running();
        writer.commit(&mut group);
        writer.tend(false);
        for (mut answered, lines) in waiting {
            let answer = answered.try_recv().expect("every request is answered");
            let Ok(accepted) = answer else { continue };
            assert_eq!(accepted.n_stored + accepted.n_repeats, lines.len());
            for line in lines {
                match self.offered[&line] {
                    Some(id) => drop(self.acknowledged.insert(id)),
                    None => drop(self.acknowledged_lines.insert(line)),
                }
            }
        }
    }

    /// Each line is unique: a repeat has the same id and another time and number.
    fn entry(&mut self, ids: &[Option<u8>]) -> (Entry, Vec<String>) {
        let now = self.clock.now();
        let mut entry = Entry::new(Day::of(now));
        let mut lines = Vec::new();
        for id in ids {
            let n = self.offered.len();
            let id_field = id.map(|id| format!("\"id\":\"{id}\",")).unwrap_or_default();
            let line = format!("{{\"token\":\"t\",{id_field}\"n\":{n},\"received_at\":\"{now}\"}}\n");
            entry.push(&line, id.map(|id| RepeatKey::of("t", &id.to_string())));
            self.offered.insert(line.clone(), *id);
            lines.push(line);
        }
        (entry, lines)
    }

    async fn store_one(&mut self) {
        let Ok(batch) = self.running().sealed.try_recv() else { return };
        self.note_batch(&batch);
        self.put(&batch).await;
    }

    /// As `batch::run` does it, but a batch that can't be stored waits for the next start.
    async fn put(&self, batch: &SealedBatch) {
        if self.store.put(batch).await.is_ok() {
            let Content::File(path) = &batch.content else { panic!("a spool's batches are files") };
            drop(self.disk.remove(path));
            drop(self.disk.sync_dir(&self.options.dir));
        }
    }

    fn note_batch(&mut self, batch: &SealedBatch) {
        let Content::File(path) = &batch.content else { panic!("a spool's batches are files") };
        if let Some(content) = self.read(path) {
            self.sealed.insert(batch.key(), content);
        }
    }

    /// What is stored must stay as it is.
    fn note_sealed_files(&mut self) {
        for (key, content) in self.stored() {
            let first = self.sealed.entry(key).or_insert_with(|| content.clone());
            assert!(*first == content, "stored file {key} changed");
        }
    }

    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        self.disk.read(path).ok()?.read_to_end(&mut content).ok()?;
        Some(content)
    }

    /// All objects in the store; what can't be read at present is left out.
    fn stored(&self) -> Vec<(ObjectKey, Vec<u8>)> {
        let root = Path::new("/data/store");
        let list = |dir: &Path| self.disk.list(dir).unwrap_or_default();
        let names = list(root).into_iter().flat_map(|day| {
            let inside = list(&root.join(&day));
            inside.into_iter().map(move |name| format!("{day}/{name}"))
        });
        let objects = names.filter_map(|name| Some((name.parse().ok()?, self.read(&root.join(&name))?)));
        objects.collect()
    }

    /// The disk gets well and all is moved to the store and forgotten; twice, with the power cut before and after, so
    /// that nothing comes back that was gone.
    async fn settle(&mut self) {
        self.disk.fail_one_in(0);
        self.power_cut();
        for _round in 0..2 {
            self.start().await;
            self.running().writer.finish();
            while let Ok(batch) = self.running().sealed.try_recv() {
                self.note_batch(&batch);
                self.put(&batch).await;
            }
            self.power_cut();
            let left = self.disk.list(Path::new("/data/spool")).unwrap();
            assert!(!left.iter().any(|name| name.ends_with(".sealed")), "left in the spool: {left:?}");
        }
    }

    fn power_cut(&mut self) {
        self.running = None;
        self.disk.restart();
    }

    fn check(&self) {
        let stored = self.stored();
        let mut ids = BTreeMap::<u8, usize>::new();
        let mut lines = BTreeMap::<String, usize>::new();
        for (key, content) in &stored {
            assert_eq!(ContentHash::of(content), key.sha256);
            for line in String::from_utf8_lossy(content).split_inclusive('\n') {
                let id = self.offered.get(line).unwrap_or_else(|| panic!("nobody sent {line:?}"));
                assert!(
                    line.contains(&format!("\"received_at\":\"{}T", key.day)),
                    "{line:?} in the folder {}",
                    key.day
                );
                id.map(|id| *ids.entry(id).or_default() += 1);
                *lines.entry(line.to_owned()).or_default() += 1;
            }
        }
        for (id, n) in &ids {
            assert_eq!(*n, 1, "id {id} is stored {n} times");
        }
        for (line, n) in &lines {
            assert_eq!(*n, 1, "{line:?} is stored {n} times");
        }
        let lost: Vec<&u8> = self.acknowledged.iter().filter(|id| !ids.contains_key(id)).collect();
        assert!(lost.is_empty(), "acknowledged and lost: ids {lost:?}");
        let lost: Vec<&String> = self.acknowledged_lines.iter().filter(|line| !lines.contains_key(*line)).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        for (key, content) in &self.sealed {
            let now = stored.iter().find(|(stored, _)| stored == key).map(|(_, content)| content);
            assert!(now == Some(content), "what was sealed as {key} is not stored so");
        }
    }
}

fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    // More on demand: PROPTEST_CASES=100000.
    ProptestConfig { cases: default.cases.max(1000), ..default }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_acknowledged_log_is_lost_or_doubled(seed: u64, steps in vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut model = Model::new(seed);
            model.run(&steps).await;
            model.check();
        });
    }
}
