//! Certificates that a member makes for itself.

use quorate_core::Config;
use quorate_core::url::Url;
use rcgen::{CertificateParams, DnType, KeyPair};

use super::context::Identity;

/// The hosts at which this member can be found, for all that it knows.
pub(super) fn hosts(config: &Config) -> Vec<String> {
    let urls = config.listen_client_urls.iter().chain(&config.listen_peer_urls);
    let urls = urls.chain(&config.advertise_client_urls).filter(|url| !url.is_unspecified());
    let mut hosts: Vec<String> = urls.map(Url::canonical_host).collect();
    hosts.push("localhost".to_owned());
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

/// A new certificate for `hosts` with a new key.
pub(super) fn identity(hosts: &[String]) -> Result<Identity, String> {
    let make = || {
        let mut params = CertificateParams::new(hosts)?;
        params.distinguished_name.push(DnType::OrganizationName, "quorate");
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let chain = vec![certificate.der().clone()];
        Ok(Identity { chain, key: key.into() })
    };
    make().map_err(|error: rcgen::Error| format!("cannot make a certificate: {error}"))
}
