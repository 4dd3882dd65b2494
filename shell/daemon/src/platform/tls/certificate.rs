//! What the core wants to know of a certificate.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use quorate_core::tls::Certificate;
use rustls::pki_types::CertificateDer;
use x509_cert::Certificate as Parsed;
use x509_cert::der::asn1::{Ia5StringRef, PrintableStringRef, Utf8StringRef};
use x509_cert::der::oid::db::rfc4519::COMMON_NAME;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::explain::at;

/// The names in a certificate that was verified. What cannot be read is left out, which makes it
/// valid for less.
pub(super) fn names(der: &CertificateDer<'_>) -> Certificate {
    let mut names = Certificate::default();
    let Ok(parsed) = Parsed::from_der(der) else { return names };
    let certificate = parsed.tbs_certificate();
    names.common_name = certificate
        .subject()
        .iter()
        .find(|attribute| attribute.oid == COMMON_NAME)
        .and_then(|attribute| text(&attribute.value.to_der().ok()?));
    let Ok(Some((_, SubjectAltName(alternatives)))) = certificate.get_extension() else {
        return names;
    };
    for alternative in alternatives {
        match alternative {
            GeneralName::DnsName(name) => names.dns_names.push(name.to_string()),
            GeneralName::IpAddress(bytes) => names.addresses.extend(address(bytes.as_bytes())),
            _ => {}
        }
    }
    names
}

/// Why a certificate counts nowhere today, by this clock.
pub(super) fn out_of_date(der: &CertificateDer<'_>) -> Option<String> {
    let parsed = Parsed::from_der(der).ok()?;
    let validity = parsed.tbs_certificate().validity();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let (from, to) = (validity.not_before, validity.not_after);
    let (from, to): (Duration, Duration) = (from.to_unix_duration(), to.to_unix_duration());
    if now > to {
        Some(format!("it expired at {}", at(to.as_secs())))
    } else if now < from {
        Some(format!("it is not valid before {}", at(from.as_secs())))
    } else {
        None
    }
}

fn text(der: &[u8]) -> Option<String> {
    let utf8 = Utf8StringRef::from_der(der).map(|text| text.as_str().to_owned());
    let printable = || PrintableStringRef::from_der(der).map(|text| text.as_str().to_owned());
    let ascii = || Ia5StringRef::from_der(der).map(|text| text.as_str().to_owned());
    utf8.or_else(|_| printable()).or_else(|_| ascii()).ok()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from).ok();
    v4.or_else(|| <[u8; 16]>::try_from(bytes).map(IpAddr::from).ok())
}
