//! A private Postgres cluster at full durability, and in it a fresh shop for each contender.
//!
//! Restock itself makes the schema and fills the shelves, once; every contender then sells from a copy of its own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use restock_servers::{Postgres, Settings};
use tokio::task::block_in_place;

use crate::books;
use crate::contender::{self, Running};

/// Connections beside those of the clients: of pools that grow beyond them, and for looking at what they did.
const SPARE_CONNECTIONS: u32 = 100;
/// The shop that is copied.
const TEMPLATE: &str = "template_of_shops";
/// File systems that keep everything in memory, where durability costs nothing.
const IN_MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

pub(crate) struct Cluster {
    postgres: Postgres,
}

/// The addresses of a shop's two databases.
pub(crate) struct Shop {
    pub(crate) url: String,
    pub(crate) customers_url: String,
}

impl Cluster {
    /// Starts one and fills the shelves of the shop that is copied; `work` is for the server that does it.
    pub(crate) async fn start(root: &Path, work: &Path, clients: u16, products: u32) -> Result<Self> {
        on_a_disk(&std::env::temp_dir())?;
        let settings = Settings {
            durable: true,
            connections_max: u32::from(clients) + SPARE_CONNECTIONS,
            more: vec![("synchronous_commit".to_owned(), "on".to_owned())],
        };
        let cluster = Self { postgres: block_in_place(|| Postgres::start(settings))? };
        let shop =
            block_in_place(|| cluster.make(TEMPLATE, |name| cluster.postgres.databases().create(name)))?;
        let mut server = Running::spawn("restock", work, |listen, data| {
            Ok(contender::host(root, listen, data, Some(&shop)))
        })?;
        server.ready().await?;
        server.stock_up(products).await?;
        server.stop().await?;
        // As autovacuum would do it in time.
        books::connect(&shop.url).await?.batch_execute("VACUUM (ANALYZE)").await?;
        Ok(cluster)
    }

    /// A shop that has sold nothing. Those before it are gone, and what they wrote is on the disk.
    pub(crate) fn fresh(&self) -> Result<Shop> {
        block_in_place(|| {
            let databases = self.postgres.databases();
            let shop = self.make("shop", |name| {
                let template = name.replacen("shop", TEMPLATE, 1);
                databases.create_from(&template, name)
            })?;
            databases.run("CHECKPOINT")?;
            Ok(shop)
        })
    }

    /// Where `pgbench` is.
    pub(crate) fn programs(&self) -> &Path {
        self.postgres.programs()
    }

    fn make(&self, name: &str, create: impl Fn(&str) -> Result<()>) -> Result<Shop> {
        let databases = self.postgres.databases();
        let customers = format!("{name}_customers");
        for database in [name, &customers] {
            databases.remove(database)?;
            create(database)?;
        }
        Ok(Shop { url: databases.url(name), customers_url: databases.url(&customers) })
    }
}

/// Fails where a folder is in memory. What cannot be found out is believed to be on a disk.
fn on_a_disk(folder: &Path) -> Result<()> {
    let Ok(mounts) = fs::read_to_string("/proc/mounts") else { return Ok(()) };
    let folder: PathBuf = fs::canonicalize(folder).context("no folder for temporary files")?;
    if file_system(&mounts, &folder).is_some_and(|kind| IN_MEMORY.contains(&kind)) {
        bail!(
            "{} is in memory, where durability costs nothing: set TMPDIR to a folder on a disk",
            folder.display()
        );
    }
    Ok(())
}

/// The kind of the file system that a folder is in.
fn file_system<'a>(mounts: &'a str, folder: &Path) -> Option<&'a str> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    // Of several at one place the last one is seen.
    let holding = mounts.filter(|(place, _)| folder.starts_with(place));
    holding.max_by_key(|(place, _)| place.len()).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_system_counts() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /tmp/disk ext4 rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/tmp/a")), Some("tmpfs"));
        assert_eq!(file_system(mounts, Path::new("/tmp/disk/a")), Some("ext4"));
        assert_eq!(file_system(mounts, Path::new("/tmpfs")), Some("ext4"));
    }
}
