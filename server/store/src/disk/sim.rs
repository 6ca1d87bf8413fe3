//! A disk in memory that fails and loses power as real ones do, for tests.
//!
//! It is meaner than real ones: after a power cut any subset of the sectors that were not synced is there, and any
//! subset of the name changes that were not synced; a failed sync leaves any part of the data unwritten and takes it
//! for clean; failed writes leave a part. All of it follows from one seed.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, Cursor, ErrorKind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use super::{Disk, DiskFile, FileFacts};
use content::{File, Rng};

mod content;

/// A simulated disk; clones are the same disk.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<State>>);

struct State {
    rng: Rng,
    files: Vec<File>,
    /// What programs see.
    names: BTreeMap<PathBuf, Node>,
    /// What is there after a power cut, apart from the changes below.
    names_on_disk: BTreeMap<PathBuf, Node>,
    /// Changes that were not synced, the oldest first; each is kept or lost as a whole.
    name_changes: Vec<Vec<(PathBuf, Option<Node>)>>,
    n_steps: u64,
    power_cut_at: Option<u64>,
    has_power: bool,
    /// One call in so many fails; 0: none.
    fails_one_in: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Node {
    Dir,
    File(usize),
}

impl SimDisk {
    /// A disk that has the folders `dirs`, durably, and nothing else.
    pub fn new(seed: u64, dirs: &[&str]) -> SimDisk {
        let names: BTreeMap<PathBuf, Node> = dirs.iter().map(|dir| (PathBuf::from(dir), Node::Dir)).collect();
        SimDisk(Arc::new(Mutex::new(State {
            rng: Rng(seed),
            files: Vec::new(),
            names_on_disk: names.clone(),
            names,
            name_changes: Vec::new(),
            n_steps: 0,
            power_cut_at: None,
            has_power: true,
            fails_one_in: 0,
        })))
    }

    /// From now on one call in `n` fails, by chance; 0 ends it.
    pub fn fail_one_in(&self, n: u64) {
        self.state().fails_one_in = n;
    }

    /// The power goes in the middle of the `n`-th call from now. What is done after that fails.
    pub fn cut_power_in(&self, n: u64) {
        let mut state = self.state();
        state.power_cut_at = Some(state.n_steps + n);
    }

    /// Whether the power is on.
    pub fn has_power(&self) -> bool {
        self.state().has_power
    }

    /// How many calls there were.
    pub fn n_steps(&self) -> u64 {
        self.state().n_steps
    }

    /// Cuts the power, if it is on, and starts again with what is on the disk.
    /// Files that were open before must not be used any more.
    pub fn restart(&self) {
        let mut state = self.state();
        state.lose_what_was_not_synced();
        state.has_power = true;
        state.power_cut_at = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one call: it is done, or fails, or the power goes in it.
    fn step<T>(&self, call: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state();
        match state.begin_step() {
            Step::Works => call(&mut state),
            Step::Fails(error) => Err(error),
            Step::PowerGoes(is_done) => {
                if is_done {
                    drop(call(&mut state));
                }
                Err(no_power())
            }
        }
    }
}

enum Step {
    Works,
    Fails(io::Error),
    /// Whether the call still had its effect, though nobody heard of it.
    PowerGoes(bool),
}

fn no_power() -> io::Error {
    io::Error::other("the power is off")
}

fn absent() -> io::Error {
    ErrorKind::NotFound.into()
}

impl State {
    fn begin_step(&mut self) -> Step {
        self.n_steps += 1;
        if !self.has_power {
            return Step::PowerGoes(false);
        }
        if self.power_cut_at.is_some_and(|at| self.n_steps >= at) {
            self.has_power = false;
            return Step::PowerGoes(self.rng.one_in(2));
        }
        self.write_back_some();
        if self.rng.one_in(self.fails_one_in) { Step::Fails(self.any_error()) } else { Step::Works }
    }

    fn any_error(&mut self) -> io::Error {
        let kinds = [ErrorKind::StorageFull, ErrorKind::FileTooLarge, ErrorKind::Other];
        kinds[self.rng.up_to(kinds.len() - 1)].into()
    }

    /// The kernel writes when it likes.
    fn write_back_some(&mut self) {
        let n_files = self.files.len();
        for file in &mut self.files[n_files.saturating_sub(4)..] {
            for number in file.dirty.clone() {
                if self.rng.one_in(16) {
                    file.write_back(number);
                }
            }
        }
    }

    fn lose_what_was_not_synced(&mut self) {
        for file in &mut self.files {
            file.lose_power(&mut self.rng);
        }
        for change in std::mem::take(&mut self.name_changes) {
            if self.rng.one_in(2) {
                apply(&mut self.names_on_disk, change);
            }
        }
        let on_disk = self.names_on_disk.clone();
        let has_parent =
            |path: &Path| path.parent().is_none_or(|dir| dir == Path::new("/") || on_disk.contains_key(dir));
        self.names_on_disk.retain(|path, _| has_parent(path));
        self.names = self.names_on_disk.clone();
    }

    fn change_names(&mut self, change: Vec<(PathBuf, Option<Node>)>) -> io::Result<()> {
        for (path, _) in &change {
            let dir = path.parent().ok_or_else(absent)?;
            if self.names.get(dir) != Some(&Node::Dir) {
                return Err(absent());
            }
        }
        apply(&mut self.names, change.clone());
        self.name_changes.push(change);
        Ok(())
    }

    fn sync_dir(&mut self, dir: &Path) {
        let touches = |change: &Vec<(PathBuf, Option<Node>)>| change.iter().any(|(path, _)| path.parent() == Some(dir));
        while let Some(at) = self.name_changes.iter().position(touches) {
            let change = self.name_changes.remove(at);
            // An older change of the same name, kept for another folder, must not come back over this one.
            for older in &mut self.name_changes[..at] {
                older.retain(|(path, _)| change.iter().all(|(newer, _)| newer != path));
            }
            apply(&mut self.names_on_disk, change);
        }
    }

    fn node(&self, path: &Path) -> io::Result<Node> {
        self.names.get(path).copied().ok_or_else(absent)
    }

    fn file(&self, path: &Path) -> io::Result<&File> {
        match self.node(path)? {
            Node::File(number) => Ok(&self.files[number]),
            Node::Dir => Err(ErrorKind::IsADirectory.into()),
        }
    }

    /// The time of a change: calls are a second apart.
    fn change_time(&self) -> Timestamp {
        Timestamp::from_second(self.n_steps as i64).unwrap_or(Timestamp::MAX)
    }
}

fn apply(names: &mut BTreeMap<PathBuf, Node>, change: Vec<(PathBuf, Option<Node>)>) {
    for (path, node) in change {
        match node {
            Some(node) => drop(names.insert(path, node)),
            None => drop(names.remove(&path)),
        }
    }
}

impl Disk for SimDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let number = self.step(|state| {
            if state.names.contains_key(path) {
                return Err(ErrorKind::AlreadyExists.into());
            }
            let number = state.files.len();
            state.change_names(vec![(path.to_owned(), Some(Node::File(number)))])?;
            let file = File::new(state.change_time());
            state.files.push(file);
            Ok(number)
        })?;
        Ok(Box::new(SimFile { disk: self.clone(), number }))
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.step(|state| match state.node(dir) {
            Ok(Node::Dir) => Ok(()),
            Ok(Node::File(_)) => Err(ErrorKind::AlreadyExists.into()),
            Err(_) => state.change_names(vec![(dir.to_owned(), Some(Node::Dir))]),
        })
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
        let content = self.step(|state| Ok(state.file(path)?.seen.clone()))?;
        Ok(Box::new(Cursor::new(content)))
    }

    fn facts(&self, path: &Path) -> io::Result<FileFacts> {
        self.step(|state| match state.node(path)? {
            Node::Dir => Ok(FileFacts { n_bytes: 0, changed_at: Timestamp::UNIX_EPOCH }),
            Node::File(number) => {
                let file = &state.files[number];
                Ok(FileFacts { n_bytes: file.seen.len() as u64, changed_at: file.changed_at })
            }
        })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.step(|state| {
            state.node(dir)?;
            let inside = state.names.keys().filter(|path| path.parent() == Some(dir));
            Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(|state| {
            let node = state.node(from)?;
            state.change_names(vec![(from.to_owned(), None), (to.to_owned(), Some(node))])
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(|state| {
            state.node(path)?;
            state.change_names(vec![(path.to_owned(), None)])
        })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.step(|state| {
            state.node(dir)?;
            state.sync_dir(dir);
            Ok(())
        })
    }
}

struct SimFile {
    disk: SimDisk,
    number: usize,
}

impl DiskFile for SimFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        let step = state.begin_step();
        let (n_bytes, result) = match step {
            Step::Works => (bytes.len(), Ok(())),
            Step::Fails(error) => (state.rng.up_to(bytes.len()), Err(error)),
            Step::PowerGoes(true) => (state.rng.up_to(bytes.len()), Err(no_power())),
            Step::PowerGoes(false) => (0, Err(no_power())),
        };
        let changed_at = state.change_time();
        let file = &mut state.files[self.number];
        file.append(&bytes[..n_bytes]);
        file.changed_at = changed_at;
        result
    }

    fn sync_data(&mut self) -> io::Result<()> {
        let mut state = self.disk.state();
        let step = state.begin_step();
        let State { files, rng, .. } = &mut *state;
        let file = &mut files[self.number];
        match step {
            Step::Works => file.sync(),
            Step::Fails(error) => {
                file.sync_badly(rng);
                return Err(error);
            }
            Step::PowerGoes(is_done) => {
                if is_done {
                    file.sync();
                }
                return Err(no_power());
            }
        }
        Ok(())
    }

    fn truncate(&mut self, n_bytes: u64) -> io::Result<()> {
        self.disk.clone().step(|state| {
            state.files[self.number].truncate(n_bytes as usize);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(seed: u64) -> SimDisk {
        SimDisk::new(seed, &["/d"])
    }

    fn content(disk: &SimDisk, path: &str) -> Option<Vec<u8>> {
        Some(disk.state().file(Path::new(path)).ok()?.seen.clone())
    }

    #[test]
    fn keeps_what_was_synced() {
        for seed in 0..100 {
            let disk = disk(seed);
            let mut file = disk.create(Path::new("/d/a")).unwrap();
            file.append(&[b'x'; 100]).unwrap();
            file.sync_data().unwrap();
            disk.sync_dir(Path::new("/d")).unwrap();
            file.append(&[b'y'; 100]).unwrap();
            disk.restart();
            let content = content(&disk, "/d/a").unwrap();
            assert_eq!(&content[..100], [b'x'; 100]);
        }
    }

    /// Each of the losses happens under some seed: else the disk would prove nothing.
    #[test]
    fn loses_what_was_not_synced() {
        let after = |synced: bool, seed: u64| {
            let disk = disk(seed);
            let mut file = disk.create(Path::new("/d/a")).unwrap();
            file.append(&[b'x'; 100]).unwrap();
            if synced {
                file.sync_data().unwrap();
            }
            disk.restart();
            content(&disk, "/d/a")
        };
        let any = |synced: bool, is: &dyn Fn(Option<Vec<u8>>) -> bool| (0..200).any(|seed| is(after(synced, seed)));
        assert!(any(true, &|content| content.is_none()), "the name is lost");
        assert!(any(false, &|content| content.is_some_and(|content| content.len() < 100)), "the end is lost");
        assert!(any(false, &|content| content
            .is_some_and(|content| content.starts_with(&[0; 32]) && content.ends_with(b"x"))));
        assert!(any(false, &|content| content.is_some_and(|content| content == [b'x'; 100])), "nothing is lost");
    }

    #[test]
    fn a_failed_sync_lies_ever_after() {
        let is_lost = |seed: u64| {
            let disk = disk(seed);
            let mut file = disk.create(Path::new("/d/a")).unwrap();
            disk.sync_dir(Path::new("/d")).unwrap();
            file.append(&[b'x'; 100]).unwrap();
            disk.fail_one_in(1);
            file.sync_data().unwrap_err();
            disk.fail_one_in(0);
            file.append(b"y").unwrap();
            file.sync_data().unwrap();
            disk.restart();
            content(&disk, "/d/a").unwrap()[..100] != [b'x'; 100]
        };
        assert!((0..20).any(is_lost));
    }
}
