//! How a host is told what to run and where.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Clock;

/// What to run and where. Nothing is read from the environment: the `restock` program does that.
#[derive(Clone, Debug)]
pub struct Options {
    /// The spin.toml to run. Component sources are relative to its folder.
    pub manifest: PathBuf,
    /// Where the application keeps its state: `<data>/sqlite/<label>.db`. Created when missing.
    pub data: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The manifest profile whose overrides apply.
    pub profile: Option<String>,
    /// How often the application's tick is called; `None` leaves it to the caller.
    pub tick: Option<Duration>,
    /// Values of application variables. Names the manifest does not declare are ignored, as Spin does.
    pub variables: BTreeMap<String, String>,
    /// Where compiled components are kept between starts.
    pub cache: PathBuf,
    /// The time of day that guests see.
    pub clock: Clock,
    /// Threads that run guests and network traffic.
    pub threads: usize,
}

impl Options {
    /// The options of `manifest` with its state in `data`: a free port of 127.0.0.1, no tick, the system clock.
    pub fn new(manifest: impl Into<PathBuf>, data: impl Into<PathBuf>) -> Self {
        Self {
            manifest: manifest.into(),
            data: data.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            profile: None,
            tick: None,
            variables: BTreeMap::new(),
            cache: default_cache(),
            clock: Clock::system(),
            threads: std::thread::available_parallelism().map_or(2, usize::from),
        }
    }
}

/// `$XDG_CACHE_HOME/restock/components`, else `~/.cache/restock/components`, else a folder of the system's temporary
/// directory.
pub(crate) fn default_cache() -> PathBuf {
    std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("restock")
        .join("components")
}
