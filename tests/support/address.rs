//! Addresses that nobody else uses.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};

/// How often another address is tried.
const ATTEMPTS: usize = 100;

/// A loopback address of one's own, with etcd's ports free on it.
///
/// All of 127/8 is this machine. Free ports of 127.0.0.1 would not do: while a member is down, any
/// outgoing connection may take its port, and the member could not come back.
pub(crate) fn own_address() -> Ipv4Addr {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let random = RandomState::new();
    for _ in 0..ATTEMPTS {
        let number = random.hash_one(COUNTER.fetch_add(1, Ordering::Relaxed));
        let [a, b, c, ..] = number.to_be_bytes();
        // Neither 127.0.x.y, which others like to use, nor the first or last address of a net.
        let address = Ipv4Addr::new(127, a.max(1), b, c.clamp(1, 254));
        if [2379, 2380].iter().all(|port| TcpListener::bind((address, *port)).is_ok()) {
            return address;
        }
    }
    panic!("no free loopback address found in {ATTEMPTS} attempts");
}

/// Whether somebody could listen there now.
pub(crate) fn is_free(address: &str) -> bool {
    TcpListener::bind(address).is_ok()
}
