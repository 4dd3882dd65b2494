//! The words for what a handshake failed of.

use std::io::{self, ErrorKind};

use quorate_core::time::rfc3339::Rfc3339;
use quorate_core::tls::Failure;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

/// The same error with words that help; others than those of TLS stay as they are.
pub(super) fn in_words(error: io::Error) -> io::Error {
    match failure(&error) {
        Some(failure) => io::Error::new(error.kind(), failure.to_string()),
        None => error,
    }
}

/// What a handshake failed of.
pub(super) fn handshake(error: &io::Error) -> Failure {
    failure(error).unwrap_or_else(|| Failure::Other(error.to_string()))
}

fn failure(error: &io::Error) -> Option<Failure> {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(error) => Some(of_tls(error)),
        None if error.kind() == ErrorKind::UnexpectedEof => {
            Some(Failure::Other("it closed the connection in the middle of TLS".to_owned()))
        }
        None => None,
    }
}

fn of_tls(error: &Error) -> Failure {
    match error {
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => Failure::NotTls,
        Error::NoCertificatesPresented => Failure::NoCertificate,
        Error::InvalidCertificate(error) => Failure::Theirs(of_certificate(error)),
        Error::AlertReceived(alert) => Failure::Alert(of_alert(*alert)),
        Error::PeerIncompatible(cause) => {
            Failure::Other(format!("there is no common ground, TLS 1.2 is the least: {cause:?}"))
        }
        other => Failure::Other(other.to_string()),
    }
}

fn of_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::ExpiredContext { time, not_after } => {
            format!("it expired at {}, and here it is {}", when(*not_after), when(*time))
        }
        CertificateError::NotValidYetContext { time, not_before } => format!(
            "it is not valid before {}, and here it is {}: one of the clocks may be wrong",
            when(*not_before),
            when(*time)
        ),
        CertificateError::UnknownIssuer => {
            "it is not signed by an authority that is believed here: see -trusted-ca-file, \
             -peer-trusted-ca-file and -discovery-ca-file"
                .to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let (expected, presented) = (name(expected), presented.join(", "));
            let presented = if presented.is_empty() { "nobody".to_owned() } else { presented };
            format!("it was asked for {expected}, and it is for {presented} (subjectAltName)")
        }
        CertificateError::InvalidPurposeContext { required, presented } => format!(
            "its extended key usage has to be {required}, and it is {}",
            presented.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ),
        other => other.to_string(),
    }
}

fn of_alert(alert: AlertDescription) -> String {
    let words = match alert {
        AlertDescription::UnknownCA => {
            "the certificate shown to it is not signed by an authority that it believes: see its \
             -trusted-ca-file and -peer-trusted-ca-file"
        }
        AlertDescription::CertificateExpired => {
            "the certificate shown to it has expired or is not valid yet, by its clock"
        }
        AlertDescription::CertificateRequired => {
            "it demands a certificate and was shown none: see -peer-cert-file and -peer-key-file"
        }
        AlertDescription::BadCertificate | AlertDescription::CertificateUnknown => {
            "the certificate shown to it did not pass its checks, perhaps for the name that it \
             asked for: its log says which"
        }
        AlertDescription::UnsupportedCertificate => {
            "the certificate shown to it may not be used for this: see its extended key usage"
        }
        AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure => {
            "there is no common version or cipher of TLS; 1.2 is the least here"
        }
        other => return format!("alert {other:?}"),
    };
    words.to_owned()
}

fn name(name: &ServerName<'_>) -> String {
    name.to_str().into_owned()
}

fn when(time: UnixTime) -> String {
    at(time.as_secs())
}

/// A point in time for people.
pub(super) fn at(seconds: u64) -> String {
    let nanos = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000_000);
    Rfc3339(nanos).to_string()
}
