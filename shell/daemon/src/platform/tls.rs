//! TLS on the real machine, by rustls.
//!
//! What is shown and believed in which role comes from the flags; the files behind them are read
//! before anything is listened on, and again whenever they change. A connection keeps what it was
//! made with, and the next one gets the new.

mod accept;
mod certificate;
mod context;
mod explain;
mod files;
mod reload;
mod self_signed;
mod stream;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use quorate_core::Config;
use quorate_core::config::Security;
use quorate_core::tls::Role;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub(crate) use accept::Incoming;
pub(crate) use stream::Stream;

use context::Context;

/// TLS of one member in all roles.
#[derive(Debug)]
pub(crate) struct Tls {
    security: Security,
    /// The hosts that a certificate of its own making is for.
    hosts: Vec<String>,
    provider: Arc<CryptoProvider>,
    loaded: ArcSwapOption<Loaded>,
    public: Context,
    system: Arc<System>,
}

/// What the files held when they were last read.
#[derive(Debug)]
struct Loaded {
    peer: Context,
    client: Context,
}

/// The authorities of the system, which are read when somebody first needs them.
#[derive(Debug, Default)]
struct System(OnceLock<Result<Arc<RootCertStore>, String>>);

impl Tls {
    /// As the flags say. No file is touched yet.
    pub(crate) fn new(config: &Config) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let system = Arc::<System>::default();
        Self {
            security: config.security.clone(),
            hosts: self_signed::hosts(config),
            public: Context::public(&config.security.public, &provider, &system),
            provider,
            loaded: ArcSwapOption::empty(),
            system,
        }
    }

    /// Reads the files, unless they were read already, and from then on whenever they change.
    ///
    /// # Errors
    /// The first file that cannot be used, and why.
    pub(crate) fn prepare(self: &Arc<Self>) -> Result<(), String> {
        if self.loaded.load().is_none() {
            let stamps = reload::Stamps::of(&self.security);
            self.load()?;
            reload::keep_fresh(self, stamps);
        }
        Ok(())
    }

    /// Reads all files. If one cannot be used, what was read before stays.
    fn load(&self) -> Result<(), String> {
        let context = |role| {
            let tls = self.security.of(role);
            Context::load(&tls, &self.hosts, &self.provider, &self.system)
        };
        let loaded = Loaded { peer: context(Role::Peer)?, client: context(Role::Client)? };
        self.loaded.store(Some(Arc::new(loaded)));
        Ok(())
    }

    fn with<T>(&self, role: Role, use_it: impl FnOnce(&Context) -> T) -> Option<T> {
        let loaded = self.loaded.load();
        match (role, &*loaded) {
            (Role::Public, _) => Some(use_it(&self.public)),
            (_, None) => None,
            (Role::Peer, Some(loaded)) => Some(use_it(&loaded.peer)),
            (Role::Client, Some(loaded)) => Some(use_it(&loaded.client)),
        }
    }

    /// Makes the handshake of a connection that was made to `host`.
    pub(super) async fn connect(
        &self,
        role: Role,
        host: &str,
        stream: TcpStream,
    ) -> io::Result<Stream> {
        let config = self.with(role, Context::dialler);
        let config = config.unwrap_or_else(|| Err("the TLS files are not read yet".to_owned()));
        let config = config.map_err(io::Error::other)?;
        // The zone of an IPv6 address says how to get there, and not who is there.
        let name = host.split_once('%').map_or(host, |(address, _)| address);
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| io::Error::other(format!("no certificate can be for {host:?}")))?;
        match TlsConnector::from(config).connect(name, stream).await {
            Ok(stream) => Ok(Stream::tls(stream.into())),
            Err(error) => Err(explain::in_words(error)),
        }
    }
}

impl System {
    fn authorities(&self) -> Result<Arc<RootCertStore>, String> {
        let read = || {
            let found = rustls_native_certs::load_native_certs();
            let mut roots = RootCertStore::empty();
            let (read, _) = roots.add_parsable_certificates(found.certs);
            match (read, found.errors.first()) {
                (0, Some(error)) => Err(format!("cannot read the system's authorities: {error}")),
                (0, None) => Err("the system has no authorities; SSL_CERT_FILE names some".into()),
                _ => Ok(Arc::new(roots)),
            }
        };
        self.0.get_or_init(read).clone()
    }
}
