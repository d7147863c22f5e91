//! The secret of the callback addresses, for machines where nobody set one: made once and kept beside the data, so that the
//! factory's addresses stay valid over a restart.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::Context;

use crate::cache::random_hex;

/// The file's name in the folder of the data.
const FILE: &str = "callback-secret";

/// The secret kept in `data`; made and written where there is none yet, for the owner's eyes only.
///
/// # Errors
/// The folder or the file cannot be written or read, or the file is empty.
pub fn kept_in(data: &Path) -> anyhow::Result<String> {
    std::fs::create_dir_all(data).with_context(|| format!("creating {}", data.display()))?;
    let path = data.join(FILE);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(&path) {
        Ok(mut file) => {
            let secret = random_hex()? + &random_hex()?;
            file.write_all(secret.as_bytes())
                .and_then(|()| file.sync_all())
                .with_context(|| format!("writing {}", path.display()))?;
            return Ok(secret);
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(|| format!("creating {}", path.display())),
    }
    let secret = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let secret = secret.trim();
    anyhow::ensure!(
        !secret.is_empty(),
        "{} is empty: remove it, or set SPIN_VARIABLE_CALLBACK_SECRET",
        path.display()
    );
    Ok(secret.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_for_its_owner_only() {
        let folder = std::env::temp_dir().join(format!("restock-secret-{}", random_hex().unwrap()));
        let first = kept_in(&folder).unwrap();
        assert_eq!(kept_in(&folder).unwrap(), first);
        assert!(first.len() >= 32, "{} characters", first.len());
        #[cfg(unix)]
        {
            let mode = std::fs::metadata(folder.join(FILE)).unwrap().permissions();
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
        }
        std::fs::write(folder.join(FILE), "\n").unwrap();
        assert!(kept_in(&folder).unwrap_err().to_string().contains("is empty"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
