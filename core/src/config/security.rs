//! What is asked for about TLS: whose certificates, and who has to show one.
//!
//! The flags are those of etcd 2.0 to 2.3. `-ca-file` of 2.0 demands certificates by itself; since
//! 2.1 that takes `-trusted-ca-file` and `-client-cert-auth`. A demand that could not be met, or
//! that would let everybody in, is refused.

use alloc::format;
use alloc::string::String;

use super::grammar;
use super::refusals::verifying;
use super::settings::{Settings, written};
use crate::error::Refusal;
use crate::tls::Role;
use crate::url::{Scheme, Url};

/// TLS of both ports, and of the connections to other members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Security {
    /// Clients and this member.
    pub client: Tls,
    /// Members among each other.
    pub peer: Tls,
    /// Discovery services, of which only the authorities are asked for: `-discovery-ca-file`.
    pub public: Tls,
}

/// TLS in one role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// What this member shows.
    pub own: Own,
    /// File with the authorities that are believed, in PEM. Without it those of the system are.
    pub authorities: Option<String>,
    /// Whether whoever connects has to show a certificate of one of these authorities.
    pub demand: bool,
}

/// The certificate that a member shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Own {
    /// None.
    #[default]
    Nothing,
    /// The chain and its key in these files, in PEM.
    Files {
        /// `-cert-file`
        certificate: String,
        /// `-key-file`
        key: String,
    },
    /// One that it makes for itself at each start, and nobody can verify.
    SelfSigned,
}

/// The flags of one role.
#[derive(Debug)]
struct Names {
    certificate: &'static str,
    key: &'static str,
    demand: &'static str,
    authorities: &'static str,
    old_authorities: &'static str,
    auto: &'static str,
    listen: &'static str,
}

const CLIENT: Names = Names {
    certificate: "cert-file",
    key: "key-file",
    demand: "client-cert-auth",
    authorities: "trusted-ca-file",
    old_authorities: "ca-file",
    auto: "auto-tls",
    listen: "listen-client-urls",
};

const PEER: Names = Names {
    certificate: "peer-cert-file",
    key: "peer-key-file",
    demand: "peer-client-cert-auth",
    authorities: "peer-trusted-ca-file",
    old_authorities: "peer-ca-file",
    auto: "peer-auto-tls",
    listen: "listen-peer-urls",
};

impl Security {
    /// Reads the flags, whose values were judged one by one before.
    pub(super) fn read(settings: &Settings) -> Result<Self, Refusal> {
        let authorities = settings.text("discovery-ca-file").filter(|file| !file.is_empty());
        let public = Tls { authorities: authorities.map(String::from), ..Tls::default() };
        Ok(Self { client: CLIENT.read(settings)?, peer: PEER.read(settings)?, public })
    }

    /// TLS in a role.
    pub fn of(&self, role: Role) -> Tls {
        match role {
            Role::Client => self.client.clone(),
            Role::Peer => self.peer.clone(),
            Role::Public => self.public.clone(),
        }
    }

    /// Whether everything can be listened on.
    ///
    /// # Errors
    /// An https URL without a certificate; in the words of etcd 2.0.13.
    pub fn check_listeners(&self, peer: &[Url], client: &[Url]) -> Result<(), Refusal> {
        self.peer.check_listeners(&PEER, peer)?;
        self.client.check_listeners(&CLIENT, client)
    }

    /// The URLs that are listened on without TLS although there is a certificate for it.
    pub fn unused<'a>(
        &'a self,
        peer: &'a [Url],
        client: &'a [Url],
    ) -> impl Iterator<Item = (&'static str, &'a Url)> {
        let plain = |tls: &Tls, names: &Names, urls: &'a [Url]| {
            let flag = names.certificate;
            let shows = matches!(tls.own, Own::Files { .. });
            let plain = urls.iter().filter(move |url| shows && url.scheme() == Scheme::Http);
            plain.map(move |url| (flag, url))
        };
        plain(&self.peer, &PEER, peer).chain(plain(&self.client, &CLIENT, client))
    }
}

impl Tls {
    fn check_listeners(&self, names: &Names, urls: &[Url]) -> Result<(), Refusal> {
        let https = urls.iter().find(|url| url.scheme() == Scheme::Https);
        let (Some(url), Own::Nothing) = (https, &self.own) else { return Ok(()) };
        let Names { certificate, key, auto, listen, .. } = names;
        Err(Refusal::new(format!(
            "cannot listen on TLS for {url}: KeyFile and CertFile are not presented"
        ))
        .hint(format!("-{listen} has {url}; neither -{certificate} nor -{key} is set"))
        .hint(format!(
            "set both to files in PEM, or -{auto} for a certificate that nobody verifies, or write \
             http:// in -{listen}; nothing was touched"
        )))
    }
}

impl Names {
    fn read(&self, settings: &Settings) -> Result<Tls, Refusal> {
        let file = |flag: &str| settings.text(flag).filter(|file| !file.is_empty());
        let switch = |flag: &str| grammar::boolean(&settings.value(flag)).unwrap_or_default();
        let own = match (file(self.certificate), file(self.key)) {
            (Some(certificate), Some(key)) => {
                Own::Files { certificate: certificate.into(), key: key.into() }
            }
            (None, None) if switch(self.auto) => Own::SelfSigned,
            (None, None) => Own::Nothing,
            (Some(_), None) => return Err(self.half(settings, self.certificate, self.key)),
            (None, Some(_)) => return Err(self.half(settings, self.key, self.certificate)),
        };
        let (new, old) = (file(self.authorities), file(self.old_authorities));
        if let (Some(new), Some(old)) = (new, old)
            && new != old
        {
            let (flag, other) = (self.authorities, self.old_authorities);
            return Err(verifying(&format!("Set only one of flags -{flag} and -{other}."))
                .hint(format!("-{flag} is {new}; -{other} is {old}"))
                .hint(format!("-{other} is the old name of 2.0: leave it away")));
        }
        let demand = switch(self.demand) || old.is_some();
        let authorities = new.or(old).map(String::from);
        if demand && authorities.is_none() {
            let (demand, authorities) = (self.demand, self.authorities);
            return Err(verifying(&format!("-{demand} needs -{authorities}"))
                .hint(format!(
                    "-{demand} is set; without -{authorities} whoever has a certificate of any \
                     authority of this system would be let in"
                ))
                .hint(format!(
                    "set -{authorities} to a file with the authorities that sign the certificates"
                )));
        }
        Ok(Tls { own, authorities, demand })
    }

    /// One of two files that only make sense together.
    fn half(&self, settings: &Settings, there: &str, missing: &str) -> Refusal {
        let given = settings.given(there);
        let place = given.map_or_else(|| there.into(), |given| written(there, given.source));
        let file = given.map_or("", |given| given.text.as_str());
        verifying(&format!("-{there} and -{missing} go together"))
            .hint(format!("{place} is {file}; -{missing} is not set"))
            .hint(format!("set -{missing} too, or neither for plain HTTP"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flags: &[(&str, &str)]) -> Result<Security, Refusal> {
        let settings =
            flags.iter().fold(Settings::new(), |all, (flag, value)| all.flag(flag, *value));
        Security::read(&settings)
    }

    fn urls(text: &str) -> alloc::vec::Vec<Url> {
        Url::parse_list(text).unwrap()
    }

    #[test]
    fn nothing_is_asked_for_by_default() {
        assert_eq!(read(&[]), Ok(Security::default()));
        assert_eq!(read(&[("cert-file", ""), ("client-cert-auth", "false")]), read(&[]));
    }

    #[test]
    fn each_role_has_its_own_flags() {
        let flags = [
            ("cert-file", "c"),
            ("key-file", "k"),
            ("peer-cert-file", "pc"),
            ("peer-key-file", "pk"),
            ("peer-trusted-ca-file", "pa"),
            ("peer-client-cert-auth", "true"),
        ];
        let security = read(&flags).unwrap();
        let files = |certificate: &str, key: &str| Own::Files {
            certificate: certificate.into(),
            key: key.into(),
        };
        let client = Tls { own: files("c", "k"), authorities: None, demand: false };
        let peer = Tls { own: files("pc", "pk"), authorities: Some("pa".into()), demand: true };
        let public = Tls::default();
        assert_eq!(security, Security { client: client.clone(), peer, public });
        assert_eq!(security.of(Role::Client), client);
        assert_eq!(security.of(Role::Public), Tls::default());
    }

    #[test]
    fn a_discovery_service_has_authorities_of_its_own() {
        let security = read(&[("discovery-ca-file", "d"), ("trusted-ca-file", "a")]).unwrap();
        let public = Tls { authorities: Some("d".into()), ..Tls::default() };
        assert_eq!(security.of(Role::Public), public);
    }

    #[test]
    fn the_authorities_of_2_0_demand_certificates_by_themselves() {
        let old = read(&[("ca-file", "a")]).unwrap().client;
        assert_eq!((old.authorities.as_deref(), old.demand), (Some("a"), true));
        let new = read(&[("trusted-ca-file", "a")]).unwrap().client;
        assert_eq!((new.authorities.as_deref(), new.demand), (Some("a"), false));
        let refusal = read(&[("ca-file", "a"), ("trusted-ca-file", "b")]).unwrap_err();
        assert_eq!(
            refusal.message,
            "error verifying flags, Set only one of flags -trusted-ca-file and -ca-file."
        );
    }

    #[test]
    fn what_makes_no_sense_alone_is_refused() {
        for (flags, message) in [
            (&[("cert-file", "c")][..], "-cert-file and -key-file go together"),
            (&[("peer-key-file", "k")], "-peer-key-file and -peer-cert-file go together"),
            (&[("client-cert-auth", "true")], "-client-cert-auth needs -trusted-ca-file"),
        ] {
            let refusal = read(flags).unwrap_err();
            assert_eq!(refusal.message, format!("error verifying flags, {message}"));
            assert!(!refusal.hints.is_empty());
        }
    }

    #[test]
    fn https_needs_a_certificate() {
        let (plain, tls) = (urls("http://a:1"), urls("http://a:1,https://b:2"));
        let none = read(&[]).unwrap();
        assert_eq!(none.check_listeners(&plain, &plain), Ok(()));
        let refusal = none.check_listeners(&plain, &tls).unwrap_err();
        assert!(refusal.message.starts_with("cannot listen on TLS for https://b:2: "));
        assert!(refusal.hints[0].contains("-listen-client-urls"));
        assert!(
            none.check_listeners(&tls, &plain).unwrap_err().hints[1].contains("-peer-auto-tls")
        );
        let auto = read(&[("auto-tls", "true")]).unwrap();
        assert_eq!(auto.check_listeners(&plain, &tls), Ok(()));
    }

    #[test]
    fn a_certificate_that_is_not_used_is_noticed() {
        let security = read(&[("cert-file", "c"), ("key-file", "k")]).unwrap();
        let (peer, client) = (urls("http://a:1"), urls("http://a:2,https://a:3"));
        let unused: alloc::vec::Vec<_> = security.unused(&peer, &client).collect();
        assert_eq!(unused, [("cert-file", &client[0])]);
    }
}
