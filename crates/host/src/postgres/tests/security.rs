//! TLS and passwords. Needs: `openssl`, for certificates.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use restock_servers::{Postgres, Settings};
use tempfile::TempDir;

use super::*;
use crate::postgres::tls::Root;

/// Who gets in how: `shop` with a password over TLS only.
const RULES: &str = "host all postgres 127.0.0.1/32 trust\n\
                     hostssl all shop 127.0.0.1/32 scram-sha-256\n\
                     hostnossl all shop 127.0.0.1/32 reject\n";
const ENCRYPTED: &str = "SELECT ssl::int::int8 FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

fn openssl(folder: &Path, args: &str) {
    let output = Command::new("openssl")
        .current_dir(folder)
        .args(args.split_whitespace())
        .output()
        .expect("install openssl (Debian, Ubuntu: apt install openssl)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A server with a certificate for 127.0.0.1, and the authority that made it.
fn secured() -> (Postgres, TempDir, String) {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    openssl(at, &format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority"));
    openssl(
        at,
        &format!(
            "req -x509 {key} -keyout server.key -out server.pem -subj /CN=server -CA ca.pem -CAkey ca.key \
             -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE"
        ),
    );
    fs::write(at.join("rules"), RULES).unwrap();
    for file in ["server.pem", "server.key", "rules"] {
        let mode = if file == "server.key" { 0o600 } else { 0o644 };
        fs::set_permissions(at.join(file), fs::Permissions::from_mode(mode)).unwrap();
    }
    // The key has to belong to the server's user, who is another one where we are root.
    let _ = Command::new("chown").arg("postgres").arg(at.join("server.key")).output();
    let file = |name: &str| at.join(name).to_string_lossy().into_owned();
    let more = [
        ("ssl", "on".to_owned()),
        ("ssl_cert_file", file("server.pem")),
        ("ssl_key_file", file("server.key")),
        ("hba_file", file("rules")),
    ];
    let more = more.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let server = Postgres::start(Settings { more, ..Settings::default() }).unwrap();
    let authority = fs::read_to_string(at.join("ca.pem")).unwrap();
    (server, folder, authority)
}

fn trusting(url: &str, authority: Option<&str>) -> Arc<Pool> {
    let root = authority.map(|pem| Root::read(pem).unwrap());
    Pool::new(Address::parse(url).unwrap(), root.as_ref()).unwrap()
}

async fn refused(pool: Arc<Pool>) -> String {
    match lend(Ok(pool)).await {
        Err(Error::ConnectionFailed(text)) => text,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it must be refused"),
    }
}

#[tokio::test]
async fn tls_is_used_as_sslmode_says_and_the_certificate_is_always_checked() {
    let (server, _folder, authority) = secured();
    let authority = Some(authority.as_str());
    let url = |mode: &str| format!("{}?sslmode={mode}", server.url("postgres"));
    for (mode, encrypted) in [("disable", 0), ("prefer", 1), ("require", 1)] {
        let session = open(&trusting(&url(mode), authority)).await;
        assert_eq!(number(&session, ENCRYPTED).await, encrypted, "{mode}");
    }
    for mode in ["prefer", "require"] {
        let text = refused(trusting(&url(mode), None)).await;
        assert!(text.contains("certificate"), "an authority that nobody trusts, {mode}: {text}");
        let elsewhere = url(mode).replace("127.0.0.1", "localhost");
        let text = refused(trusting(&elsewhere, authority)).await;
        assert!(text.contains("certificate"), "a name that is not in the certificate, {mode}: {text}");
    }
    let session = open(&trusting(&url("disable"), None)).await;
    run(&session, "CREATE ROLE shop LOGIN PASSWORD 'hunter2'").await;
    let shop = |password: &str, options: &str| {
        format!("{}?{options}", server.url("postgres").replace("postgres@", &format!("shop:{password}@")))
    };
    for options in ["sslmode=require", "sslmode=require&channel_binding=require"] {
        let session = open(&trusting(&shop("hunter2", options), authority)).await;
        assert_eq!(text(&session, "SELECT current_user::text").await, "shop");
    }
    for (password, options) in [("hunter3", "sslmode=require"), ("hunter2", "sslmode=disable")] {
        let text = refused(trusting(&shop(password, options), authority)).await;
        assert!(!text.contains("hunter"), "{text}");
    }
}

#[tokio::test]
async fn an_authority_that_the_system_trusts_is_trusted() {
    const NAME: &str = "postgres::tests::security::an_authority_that_the_system_trusts_is_trusted";
    const URL: &str = "RESTOCK_TEST_SECURED";
    // What the system trusts is said in the environment, and so to another process.
    if let Ok(url) = std::env::var(URL) {
        let session = open(&trusting(&url, None)).await;
        assert_eq!(number(&session, ENCRYPTED).await, 1);
        return;
    }
    let (server, folder, _) = secured();
    let url = format!("{}?sslmode=require", server.url("postgres"));
    let text = refused(trusting(&url, None)).await;
    assert!(text.contains("certificate"), "{text}");
    let output = Command::new(std::env::current_exe().unwrap())
        .args([NAME, "--exact"])
        .env(URL, url)
        .env("SSL_CERT_FILE", folder.path().join("ca.pem"))
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

#[tokio::test]
async fn a_server_without_tls_is_good_enough_for_prefer_and_not_for_require() {
    let place = Place::new();
    let session = open(&trusting(&format!("{}?sslmode=prefer", place.url()), None)).await;
    assert_eq!(number(&session, ENCRYPTED).await, 0);
    let text = refused(trusting(&format!("{}?sslmode=require", place.url()), None)).await;
    assert!(text.contains("does not support TLS"), "{text}");
}

#[test]
fn only_certificates_are_taken_for_certificates() {
    for bad in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no certificate"] {
        Root::read(bad).unwrap_err();
    }
}
