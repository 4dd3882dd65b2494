//! What handshakes are made with in one role.

use std::sync::{Arc, OnceLock};

use quorate_core::config::security::{Own, Tls};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig, SignatureScheme,
};

use super::{System, files, self_signed};

/// A chain of certificates, and the key of the first.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// What handshakes are made with in one role.
#[derive(Debug)]
pub(super) struct Context {
    provider: Arc<CryptoProvider>,
    system: Arc<System>,
    identity: Option<Identity>,
    authorities: Authorities,
    verifies: bool,
    acceptor: Option<Arc<ServerConfig>>,
    dialler: OnceLock<Arc<ClientConfig>>,
}

/// Whose certificates are believed.
#[derive(Debug)]
enum Authorities {
    /// Those of the system.
    System,
    /// These, which were read.
    Read(Arc<RootCertStore>),
    /// Those in this file, which is read when somebody first needs them.
    Unread(String),
}

impl Context {
    /// For asking servers of others: shows nothing. No file is touched before it is needed, which
    /// it is at a first start alone.
    pub(super) fn public(tls: &Tls, provider: &Arc<CryptoProvider>, system: &Arc<System>) -> Self {
        let authorities = match &tls.authorities {
            Some(file) => Authorities::Unread(file.clone()),
            None => Authorities::System,
        };
        Self {
            authorities,
            provider: Arc::clone(provider),
            system: Arc::clone(system),
            identity: None,
            verifies: true,
            acceptor: None,
            dialler: OnceLock::new(),
        }
    }

    /// Reads the files of a role. `hosts` are those that a certificate made here is for.
    pub(super) fn load(
        tls: &Tls,
        hosts: &[String],
        provider: &Arc<CryptoProvider>,
        system: &Arc<System>,
    ) -> Result<Self, String> {
        let mut context = Self::public(&Tls::default(), provider, system);
        context.identity = match &tls.own {
            Own::Nothing => None,
            Own::Files { certificate, key } => Some(files::identity(certificate, key)?),
            Own::SelfSigned => Some(self_signed::identity(hosts)?),
        };
        context.verifies = tls.own != Own::SelfSigned;
        if let Some(file) = &tls.authorities {
            context.authorities = Authorities::Read(Arc::new(files::authorities(file)?));
        }
        if let Some(identity) = &context.identity {
            let place = match &tls.own {
                Own::Files { certificate, key } => format!("{certificate} and {key}"),
                _ => "the certificate that was made here".to_owned(),
            };
            let demanded = match &context.authorities {
                Authorities::Read(authorities) if tls.demand => Some(Arc::clone(authorities)),
                _ => None,
            };
            let config = acceptor(identity, demanded, provider)
                .map_err(|error| format!("cannot use {place}: {error}"))?;
            context.acceptor = Some(Arc::new(config));
        }
        Ok(context)
    }

    /// For connections that come in; absent where there is no certificate to show.
    pub(super) fn acceptor(&self) -> Option<Arc<ServerConfig>> {
        self.acceptor.clone()
    }

    /// For connections that are made.
    pub(super) fn dialler(&self) -> Result<Arc<ClientConfig>, String> {
        let built = match self.dialler.get() {
            Some(dialler) => return Ok(Arc::clone(dialler)),
            None => Arc::new(self.build_dialler()?),
        };
        Ok(Arc::clone(self.dialler.get_or_init(|| built)))
    }

    fn build_dialler(&self) -> Result<ClientConfig, String> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = if self.verifies {
            let authorities = match &self.authorities {
                Authorities::Read(authorities) => Arc::clone(authorities),
                Authorities::Unread(file) => Arc::new(files::authorities(file)?),
                Authorities::System => self.system.authorities()?,
            };
            builder.with_root_certificates(authorities)
        } else {
            let anybody = Arc::new(Anybody(Arc::clone(&self.provider)));
            builder.dangerous().with_custom_certificate_verifier(anybody)
        };
        match &self.identity {
            None => Ok(builder.with_no_client_auth()),
            Some(Identity { chain, key }) => builder
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .map_err(|error| error.to_string()),
        }
    }
}

/// `demanded` are the authorities of one of which whoever connects has to show a certificate.
fn acceptor(
    Identity { chain, key }: &Identity,
    demanded: Option<Arc<RootCertStore>>,
    provider: &Arc<CryptoProvider>,
) -> Result<ServerConfig, Error> {
    let builder = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()?;
    let builder = match demanded {
        None => builder.with_no_client_auth(),
        Some(authorities) => {
            let provider = Arc::clone(provider);
            let verifier = WebPkiClientVerifier::builder_with_provider(authorities, provider);
            let verifier = verifier.build().map_err(|error| Error::General(error.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    builder.with_single_cert(chain.clone(), key.clone_key())
}

/// Believes whoever holds the key of the certificate that is shown, whatever that says: all that
/// can be asked of members which make their certificates for themselves.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
