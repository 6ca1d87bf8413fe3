//! CPU time and memory of another process, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::param::clock_ticks_per_second;

/// CPU time that a process has used, in user and kernel mode, all threads.
pub struct Usage {
    ticks: u64,
}

/// Resident memory, in KiB.
pub struct Memory {
    /// At this moment.
    pub now_kib: u64,
    /// The most there ever was.
    pub peak_kib: u64,
}

impl Usage {
    /// # Errors
    /// When there is no such process.
    pub fn of(pid: u32) -> Result<Self> {
        let text = read(pid, "stat")?;
        Ok(Self { ticks: ticks(&text).with_context(|| format!("/proc/{pid}/stat has another form"))? })
    }

    /// What was used since `before`.
    pub fn since(&self, before: &Self) -> Duration {
        Duration::from_secs_f64((self.ticks - before.ticks) as f64 / clock_ticks_per_second() as f64)
    }
}

/// # Errors
/// When there is no such process.
pub fn memory(pid: u32) -> Result<Memory> {
    let text = read(pid, "status")?;
    let kib = |name: &str| status_kib(&text, name).with_context(|| format!("/proc/{pid}/status has no {name}"));
    Ok(Memory { now_kib: kib("VmRSS:")?, peak_kib: kib("VmHWM:")? })
}

fn read(pid: u32, file: &str) -> Result<String> {
    fs::read_to_string(format!("/proc/{pid}/{file}")).with_context(|| format!("reading /proc/{pid}/{file}"))
}

/// utime + stime: the 14th and 15th field. The 2nd, the program's name, may hold spaces, but ends at the last `)`.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

fn status_kib(status: &str, name: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
    rest.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cpu_ticks_past_a_name_with_spaces_and_brackets() {
        let stat = "12 (a ) b) S 1 12 12 0 -1 4194304 100 0 0 0 70 30 0 0 20 0 4 0 55 1000 200";
        assert_eq!(ticks(stat), Some(100));
        assert_eq!(ticks("12 (a) S 1"), None);
    }

    #[test]
    fn reads_memory_from_status() {
        let status = "Name:\tlogdig\nVmHWM:\t    9000 kB\nVmRSS:\t    8172 kB\n";
        assert_eq!((status_kib(status, "VmRSS:"), status_kib(status, "VmHWM:")), (Some(8172), Some(9000)));
        assert_eq!(status_kib(status, "VmSwap:"), None);
    }
}
