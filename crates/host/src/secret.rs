//! The secrets that a host cannot do without. On one machine nobody has to set them, so that one command is enough on a laptop: the
//! secret of the callback addresses is made once and kept beside the data, so that the factory's addresses stay valid over a
//! restart. Hosts that share a Postgres must have the same ones, so there nothing is made up.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::Context;

use crate::cache::random_hex;
use crate::options::Options;

/// What signs the callback addresses.
const CALLBACK_SECRET: &str = "callback_secret";
/// What several hosts must agree on: one signs or rings, another one answers.
const COMMON: [&str; 2] = [CALLBACK_SECRET, "internal_keys"];
/// The profile in which hosts share their databases, and the variable by which they do.
const POSTGRES: &str = "postgres";
const POSTGRES_URL: &str = "postgres_url";
/// The file's name in the folder of the data.
const FILE: &str = "callback-secret";

/// Sees to it that the application has a callback secret: the given one, else the one kept in the folder of the data.
///
/// # Errors
/// The databases may be shared with other hosts (profile `postgres`, or `postgres_url` is set) and a secret that all of them must
/// have is not set; or the kept one cannot be read or written.
pub fn provide(options: &mut Options) -> anyhow::Result<()> {
    let is_set = |name: &str| options.variables.get(name).is_some_and(|value| !value.trim().is_empty());
    if options.profile.as_deref() == Some(POSTGRES) || is_set(POSTGRES_URL) {
        let missing: Vec<String> = COMMON
            .into_iter()
            .filter(|name| !is_set(name))
            .map(|name| format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase()))
            .collect();
        anyhow::ensure!(
            missing.is_empty(),
            "hosts that share a Postgres need the same secrets, so none is made up: set {} to the same values on every \
             host, such as what `openssl rand -base64 32` prints",
            missing.join(" and ")
        );
    } else if !is_set(CALLBACK_SECRET) {
        options.variables.insert(CALLBACK_SECRET.to_owned(), kept_in(&options.data)?);
    }
    Ok(())
}

/// The secret kept in `data`; made and written where there is none yet, for the owner's eyes only.
fn kept_in(data: &Path) -> anyhow::Result<String> {
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
    fn hosts_that_may_share_a_postgres_are_given_no_secret_that_only_one_of_them_has() {
        let folder = std::env::temp_dir().join(format!("restock-secret-{}", random_hex().unwrap()));
        let options = |profile: Option<&str>, variables: &[(&str, &str)]| {
            let mut options = Options::new("spin.toml", &folder);
            options.profile = profile.map(str::to_owned);
            options.variables =
                variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
            options
        };
        let said = |mut options: Options| provide(&mut options).unwrap_err().to_string();
        let (secret, keys) = (("callback_secret", "s"), ("internal_keys", "k"));
        for shared in [
            options(Some("postgres"), &[]),
            options(None, &[("postgres_url", "postgres://h/d")]),
            options(Some("postgres"), &[("callback_secret", " "), ("internal_keys", "")]),
        ] {
            let said = said(shared);
            for named in ["SPIN_VARIABLE_CALLBACK_SECRET", "SPIN_VARIABLE_INTERNAL_KEYS", "on every host"] {
                assert!(said.contains(named), "{said}");
            }
        }
        let one = said(options(Some("postgres"), &[secret]));
        assert!(one.contains("INTERNAL_KEYS") && !one.contains("CALLBACK_SECRET"), "{one}");
        assert!(!folder.exists(), "nothing was made up");

        let mut both = options(Some("postgres"), &[secret, keys]);
        provide(&mut both).unwrap();
        assert_eq!(both.variables["callback_secret"], "s");
        // Alone on its files a host needs neither; an empty value is one that is not set.
        let mut alone = options(None, &[("callback_secret", "")]);
        provide(&mut alone).unwrap();
        assert_eq!(alone.variables["callback_secret"], kept_in(&folder).unwrap());
        std::fs::remove_dir_all(&folder).unwrap();
    }

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
