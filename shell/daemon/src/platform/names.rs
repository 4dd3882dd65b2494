//! Looking up names.
//!
//! Addresses come from where every program of this machine has them, its hosts file and whatever
//! else it is set up to ask; the system offers no way to ask for SRV records, so the name servers
//! that it is set up with are asked directly. A resolver that was named by a flag is asked for
//! everything. Nothing is kept: how long a record is good for is the business of the resolver.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{RData, Record};
use quorate_core::dns::{Answer, Failure, Query, Records, Service};

/// How long a name server may take, and how often it is asked.
const TIMEOUT: Duration = Duration::from_secs(2);
const ATTEMPTS: usize = 2;

/// The resolver of a member.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    /// The one that was named by a flag.
    named: Option<SocketAddr>,
}

impl Names {
    pub(super) const fn new(named: Option<SocketAddr>) -> Self {
        Self { named }
    }

    /// Whether names mean what they mean to every program of this machine.
    pub(super) const fn is_system(self) -> bool {
        self.named.is_none()
    }

    pub(super) async fn ask(self, query: Query) -> Answer {
        match query {
            Query::Addresses(host) => self.addresses(&host).await.map(Records::Addresses),
            Query::Services(name) => self.services(&name).await.map(Records::Services),
        }
    }

    /// The addresses of a host, each once; an address is its own.
    pub(super) async fn addresses(self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let mut addresses = Vec::new();
        let found: Vec<IpAddr> = if self.is_system() {
            let found = tokio::net::lookup_host((host, 0)).await;
            let found = found.map_err(|error| Failure::Failed(error.to_string()))?;
            found.map(|socket| socket.ip()).collect()
        } else {
            self.resolver()?
                .lookup_ip(host)
                .await
                .map_err(|error| failure(&error))?
                .iter()
                .collect()
        };
        for address in found {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.is_empty() { Err(Failure::Absent) } else { Ok(addresses) }
    }

    async fn services(self, name: &str) -> Result<Vec<Service>, Failure> {
        // The dot says that the name is complete, and nothing is to be tried behind it.
        let found = self
            .resolver()?
            .srv_lookup(format!("{name}."))
            .await
            .map_err(|error| failure(&error))?;
        let services: Vec<Service> = found.answers().iter().filter_map(service).collect();
        if services.is_empty() { Err(Failure::Absent) } else { Ok(services) }
    }

    fn resolver(self) -> Result<TokioResolver, Failure> {
        let builder = match self.named {
            None => TokioResolver::builder_tokio().map_err(|error| failure(&error))?,
            Some(address) => {
                let mut server = NameServerConfig::udp_and_tcp(address.ip());
                for connection in &mut server.connections {
                    connection.port = address.port();
                }
                let config = ResolverConfig::from_name_servers(vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        let mut options = ResolverOpts::default();
        options.timeout = TIMEOUT;
        options.attempts = ATTEMPTS;
        options.cache_size = 0;
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        builder.with_options(options).build().map_err(|error| failure(&error))
    }
}

fn service(record: &Record) -> Option<Service> {
    let RData::SRV(srv) = &record.data else { return None };
    let target = srv.target.to_utf8();
    let target = target.strip_suffix('.').unwrap_or(&target).to_owned();
    let (port, priority, weight) = (srv.port, srv.priority, srv.weight);
    Some(Service { target, port, priority, weight })
}

/// Only an answer says that there is nothing. Whoever refuses or fails to answer says nothing.
fn failure(error: &NetError) -> Failure {
    let NetError::Dns(DnsError::NoRecordsFound(NoRecords { response_code, .. })) = error else {
        return Failure::Failed(error.to_string());
    };
    match response_code {
        ResponseCode::NXDomain | ResponseCode::NoError => Failure::Absent,
        other => Failure::Failed(other.to_string()),
    }
}
