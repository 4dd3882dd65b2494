//! An HTTP proxy of the kind that companies have between themselves and the world.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// It knows CONNECT, and nothing else.
#[derive(Debug)]
pub(crate) struct Tunnel {
    /// `HOST:PORT`
    pub(crate) place: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Tunnel {
    /// Listens, and lets through whoever has `credentials`, the value of a header; everybody where
    /// there are none.
    pub(crate) fn open(credentials: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let place = listener.local_addr().expect("it is bound").to_string();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&heads);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                // A connection that breaks off is its user's to notice.
                thread::spawn(move || drop(pass_on(stream, credentials, &seen)));
            }
        });
        Self { place, heads }
    }

    /// What it was asked so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn pass_on(
    mut near: TcpStream,
    credentials: Option<&str>,
    seen: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut head = String::new();
    let mut reader = BufReader::new(near.try_clone()?.take(64 << 10));
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(head.clone());
    let place = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    let known = credentials.is_none_or(|known| {
        head.lines().any(|line| line.eq_ignore_ascii_case(&format!("proxy-authorization: {known}")))
    });
    let (Some(place), true) = (place, known) else {
        return near.write_all(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n");
    };
    let Ok(far) = TcpStream::connect(place) else {
        return near.write_all(b"HTTP/1.1 502 Nobody there\r\nContent-Length: 0\r\n\r\n");
    };
    near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (from, to) = (near.try_clone()?, far.try_clone()?);
    thread::spawn(move || copy(from, to));
    copy(far, near);
    Ok(())
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
