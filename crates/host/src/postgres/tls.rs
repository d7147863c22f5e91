//! Connecting with and without TLS, as `sslmode` says.
//!
//! The meaning is that of tokio-postgres: `disable` never, `prefer` where the server has it, `require` always; wherever TLS is
//! used, the server's certificate and name are checked. The negotiation is done here and not there, because only a connector
//! sees the stream that has to be watched.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::watch::{Watch, Watched};

/// The message that asks a server for TLS.
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
/// The protocol's name, which a server wants to hear where TLS comes without being asked for.
const PROTOCOL: &[u8] = b"postgresql";

type Encrypted = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;
type Handshake = <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect;

/// What `sslmode` and `sslnegotiation` of an address ask for.
#[derive(Clone)]
pub(super) struct Security {
    mode: SslMode,
    direct: bool,
    /// None where TLS is off.
    tls: Option<MakeRustlsConnect>,
}

impl Security {
    /// Takes it out of `config`, which is left with what makes tokio-postgres ask a connector of ours in every case. Trusted are
    /// the authorities that browsers trust, those of the system, and those in `root`.
    pub(super) fn take(config: &mut Config, root: Option<&Root>) -> Result<Self, String> {
        let mode = config.get_ssl_mode();
        let direct = config.get_ssl_negotiation() == SslNegotiation::Direct;
        let tls = if mode == SslMode::Disable { None } else { Some(client(direct, root)?) };
        config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
        Ok(Self { mode, direct, tls })
    }

    /// What connects; the stream is watched by `watch`.
    pub(super) fn connector(&self, watch: &Arc<Watch>) -> Connector {
        Connector { security: self.clone(), watch: Arc::clone(watch) }
    }
}

/// Authorities that a guest trusts.
#[derive(Clone, Debug)]
pub(super) struct Root(Vec<CertificateDer<'static>>);

impl Root {
    /// Reads certificates in PEM.
    pub(super) fn read(pem: &str) -> Result<Self, String> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let certificates = certificates.map_err(|error| error.to_string())?;
        if certificates.is_empty() {
            return Err("there is no certificate in it".to_owned());
        }
        let mut store = RootCertStore::empty();
        for certificate in &certificates {
            store.add(certificate.clone()).map_err(|error| error.to_string())?;
        }
        Ok(Self(certificates))
    }
}

/// The authorities that every connection trusts. Those of the system are read once: a company's own or a cloud's are there, or in
/// the file that `SSL_CERT_FILE` names.
static AUTHORITIES: LazyLock<RootCertStore> = LazyLock::new(|| {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!("some of the system's certificates cannot be read: {error}");
    }
    roots.add_parsable_certificates(system.certs);
    roots
});

fn client(direct: bool, root: Option<&Root>) -> Result<MakeRustlsConnect, String> {
    let mut roots = AUTHORITIES.clone();
    for certificate in root.iter().flat_map(|root| &root.0) {
        roots.add(certificate.clone()).map_err(|error| error.to_string())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    if direct {
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
    }
    Ok(MakeRustlsConnect::new(config))
}

#[derive(Clone)]
pub(super) struct Connector {
    security: Security,
    watch: Arc<Watch>,
}

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Watched;
    type TlsConnect = Attempt;
    type Error = Infallible;

    fn make_tls_connect(&mut self, host: &str) -> Result<Attempt, Infallible> {
        self.watch.reset();
        let handshake = match &mut self.security.tls {
            Some(tls) => Some(MakeTlsConnect::<Socket>::make_tls_connect(tls, host)?),
            None => None,
        };
        Ok(Attempt {
            mode: self.security.mode,
            direct: self.security.direct,
            handshake,
            watch: Arc::clone(&self.watch),
        })
    }
}

pub(super) struct Attempt {
    mode: SslMode,
    direct: bool,
    handshake: Option<Handshake>,
    watch: Arc<Watch>,
}

impl TlsConnect<Socket> for Attempt {
    type Stream = Watched;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Watched>> + Send>>;

    fn connect(self, mut socket: Socket) -> Self::Future {
        Box::pin(async move {
            let transport = match self.handshake {
                None => Transport::Plain(socket),
                Some(_) if self.direct && self.mode == SslMode::Prefer => {
                    return Err(io::Error::other("sslnegotiation=direct needs sslmode=require"));
                }
                Some(handshake) => {
                    if self.direct || has_tls(&mut socket).await? {
                        Transport::Encrypted(Box::new(handshake.connect(socket).await?))
                    } else if self.mode == SslMode::Prefer {
                        Transport::Plain(socket)
                    } else {
                        return Err(io::Error::other("server does not support TLS"));
                    }
                }
            };
            Ok(Watched::new(transport, self.watch))
        })
    }
}

/// Asks the server for TLS; where it says yes, the handshake follows.
async fn has_tls(socket: &mut Socket) -> io::Result<bool> {
    socket.write_all(&TLS_REQUEST).await?;
    Ok(socket.read_u8().await? == b'S')
}

/// What a connection runs over.
pub(super) enum Transport {
    Plain(Socket),
    Encrypted(Box<Encrypted>),
}

impl Transport {
    pub(super) fn channel_binding(&self) -> ChannelBinding {
        match self {
            Self::Plain(_) => ChannelBinding::none(),
            Self::Encrypted(stream) => stream.channel_binding(),
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Encrypted(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Encrypted(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Encrypted(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Encrypted(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
