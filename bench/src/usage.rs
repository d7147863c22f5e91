//! What a process has used: memory at its peak, and time of the processors. Read from `/proc`, so on Linux only.

use std::fs;

use serde::Serialize;

/// The kernel counts time for programs in hundredths of a second, whatever it does inside.
const TICKS_PER_SECOND: f64 = 100.0;
/// Where `/proc/<pid>/stat` has the time in user mode and in the kernel, counted behind the name of the program.
const USER_TICKS: usize = 11;
const KERNEL_TICKS: usize = 12;

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Usage {
    /// Most memory that was resident at one time.
    pub(crate) peak_mib: f64,
    /// Seconds of one processor.
    pub(crate) cpu_seconds: f64,
}

impl Usage {
    /// That of a process so far.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some(Self { peak_mib: peak_kib(&status)? / 1024.0, cpu_seconds: ticks(&stat)? / TICKS_PER_SECOND })
    }

    /// The same with the time since `earlier` only; a peak has no beginning.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self { cpu_seconds: self.cpu_seconds - earlier.cpu_seconds, ..self }
    }
}

fn peak_kib(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

fn ticks(stat: &str) -> Option<f64> {
    // The name may hold spaces and parentheses of its own.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields = fields.split_whitespace().collect::<Vec<_>>();
    let ticks = |place: usize| fields.get(place)?.parse::<f64>().ok();
    Some(ticks(USER_TICKS)? + ticks(KERNEL_TICKS)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_and_not_what_is_resident_now() {
        let status = "Name:\trestock\nVmPeak:\t  900 kB\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n";
        assert_eq!(peak_kib(status), Some(2048.0));
        assert_eq!(peak_kib("Name:\trestock\n"), None);
    }

    #[test]
    fn time_is_found_behind_any_name() {
        let stat = "1234 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 8 0 100";
        assert_eq!(ticks(stat), Some(300.0));
    }
}
