//! Listening on every local address that a host stands for.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use quorate_core::tls::Role;
use quorate_core::url::Url;
use quorate_shell::Listener;
use rustix::io::Errno;
use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpStream};

use super::tls::{Incoming, Tls};

/// A bound address.
#[derive(Debug)]
pub(crate) struct Bound {
    listener: TcpListener,
    tls: Option<(Arc<Tls>, Role)>,
}

impl Bound {
    /// `tls` is there where TLS is spoken.
    pub(super) const fn new(listener: TcpListener, tls: Option<(Arc<Tls>, Role)>) -> Self {
        Self { listener, tls }
    }
}

/// Idle time after which the system asks whether the other end is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

impl Listener for Bound {
    type Pending = Incoming;

    async fn accept(&mut self) -> io::Result<Incoming> {
        let (stream, from) = self.listener.accept().await?;
        Ok(Incoming::new(configure(stream)?, from.to_string(), self.tls.clone()))
    }
}

/// Binds those of `addresses` that belong to this machine; at least one has to.
pub(super) async fn bind(url: &Url, addresses: &[IpAddr]) -> Result<Vec<TcpListener>, String> {
    let mut bound = Vec::new();
    for address in addresses {
        let socket = SocketAddr::new(*address, url.port());
        match TcpListener::bind(socket).await {
            Ok(listener) => bound.push(listener),
            Err(error) if is_foreign(&error) => {}
            Err(error) => return Err(format!("listen tcp {socket}: bind: {}", words(&error))),
        }
    }
    if bound.is_empty() {
        let answers: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
        let answers = answers.join(", ");
        let host = url.host();
        return Err(format!("listen {url}: no address of this machine: {host} is {answers}"));
    }
    Ok(bound)
}

/// Binds all addresses of this machine: those of both families with one socket, or those of IPv4
/// where there is no IPv6.
pub(super) async fn bind_everywhere(url: &Url) -> Result<Vec<TcpListener>, String> {
    let (both, v4) = (Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into());
    match bind(url, &[both]).await {
        Err(words) if words.starts_with("listen tcp ") => Err(words),
        Err(_) => bind(url, &[v4]).await,
        bound => bound,
    }
}

/// Small messages go out at once, and a peer that lost its power is noticed.
pub(super) fn configure(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(&stream, true)?;
    sockopt::set_tcp_keepidle(&stream, KEEPALIVE)?;
    sockopt::set_tcp_keepintvl(&stream, KEEPALIVE)?;
    Ok(stream)
}

/// Whether the address is not of this machine, or of a family that it does not have.
fn is_foreign(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error())
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "address already in use".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
