//! Authorities and certificates of one's own.

use std::fs;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    date_time_ymd,
};

/// An authority that signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate, in PEM.
    pub(crate) pem: String,
}

/// A certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// When a certificate is valid.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Valid {
    /// Now, and for long.
    Now,
    /// It was, until 2001.
    Once,
    /// It will be, from 2200 on.
    Later,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = key();
        let certificate = params.self_signed(&key).expect("an authority signs itself");
        Self { issuer: Issuer::new(params, key), pem: certificate.pem() }
    }

    /// A certificate that is valid now, for names and addresses.
    pub(crate) fn issue(&self, names: &[&str]) -> Issued {
        self.issue_for(names, Valid::Now)
    }

    pub(crate) fn issue_for(&self, names: &[&str], valid: Valid) -> Issued {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("names that are names");
        params.distinguished_name.push(DnType::CommonName, "infra");
        (params.not_before, params.not_after) = match valid {
            Valid::Now => (date_time_ymd(2001, 1, 1), date_time_ymd(2200, 1, 1)),
            Valid::Once => (date_time_ymd(2000, 1, 1), date_time_ymd(2001, 1, 1)),
            Valid::Later => (date_time_ymd(2200, 1, 1), date_time_ymd(2201, 1, 1)),
        };
        let key = key();
        let certificate = params.signed_by(&key, &self.issuer).expect("an authority signs");
        Issued { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// Puts its certificate into a file.
    pub(crate) fn write(&self, path: &Path) {
        replace(path, &self.pem);
    }
}

impl Issued {
    /// Puts the two into `NAME.pem` and `NAME.key`.
    pub(crate) fn write(&self, dir: &Path, name: &str) {
        replace(&dir.join(format!("{name}.pem")), &self.certificate);
        replace(&dir.join(format!("{name}.key")), &self.key);
    }
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key is made")
}

/// Writes a file as a careful administrator does: nobody sees a half of it.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).expect("a file is written");
    fs::rename(&new, path).expect("a file is renamed");
}
