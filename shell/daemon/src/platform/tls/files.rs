//! Reading certificates, keys and authorities in PEM.

use std::fs;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tracing::warn;

use super::certificate;
use super::context::Identity;

/// The chain in one file with the key in another.
pub(super) fn identity(certificate: &str, key: &str) -> Result<Identity, String> {
    let chain = certificates(certificate)?;
    if let Some(words) = chain.first().and_then(certificate::out_of_date) {
        warn!("the certificate in {certificate} will be refused: {words}");
    }
    let read_key = PrivateKeyDer::from_pem_slice(&read(key)?)
        .map_err(|error| format!("{key} holds no private key in PEM: {error}"))?;
    Ok(Identity { chain, key: read_key })
}

/// The authorities in a file.
pub(super) fn authorities(file: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| format!("{file} holds no authority: {error}"))?;
    }
    Ok(roots)
}

fn certificates(file: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_slice_iter(&read(file)?).collect::<Result<Vec<_>, _>>();
    let read = read.map_err(|error| format!("{file} is not PEM: {error}"))?;
    if read.is_empty() {
        return Err(format!("{file} holds no certificate in PEM"));
    }
    Ok(read)
}

fn read(file: &str) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("cannot read {file}: {error}"))
}
