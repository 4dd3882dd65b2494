//! Addresses that nobody else uses.

use std::collections::hash_map::RandomState;
use std::env::temp_dir;
use std::fs::{File, OpenOptions};
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

/// The right to use addresses that are the same in every run, until it is dropped. Runs of the tests
/// that happen at the same time take turns.
pub(crate) struct Fixed {
    _lock: File,
}

impl Fixed {
    /// Waits for one's turn. Gives the address that is taken nevertheless, if there is one.
    pub(crate) fn claim(addresses: &[&str]) -> Result<Self, String> {
        let path = temp_dir().join("quorate-tests-fixed-addresses.lock");
        // Reading is enough for the lock, if somebody else has made the file.
        drop(OpenOptions::new().append(true).create(true).open(&path));
        let lock = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        lock.lock().map_err(|error| format!("{}: {error}", path.display()))?;
        match addresses.iter().find(|address| TcpListener::bind(address).is_err()) {
            Some(taken) => Err(format!("{taken} is taken")),
            None => Ok(Self { _lock: lock }),
        }
    }
}
