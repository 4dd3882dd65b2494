//! A name server whose records a test changes as it goes.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::SRV;
use hickory_proto::rr::{Name, RData, Record, RecordType};

const TTL: u32 = 300;

/// The server. It answers for as long as the process lives.
#[derive(Clone, Debug)]
pub(crate) struct NameServer {
    address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
}

/// What it knows, by names in lower case without a dot at the end. What is not there does not exist.
#[derive(Debug, Default)]
struct Zone {
    services: BTreeMap<String, Vec<(String, u16)>>,
    hosts: BTreeMap<String, Vec<IpAddr>>,
    /// Names about which it says SERVFAIL.
    failing: Vec<String>,
    /// What it was asked for.
    asked: Vec<String>,
}

impl NameServer {
    /// Starts a server without records.
    pub(crate) fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
        let address = socket.local_addr().expect("it is bound");
        let server = Self { address, zone: Arc::default() };
        let zone = Arc::clone(&server.zone);
        thread::spawn(move || serve(&socket, &zone));
        server
    }

    /// For `-discovery-srv-resolver`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// The SRV records under a name, in the place of those before.
    pub(crate) fn services(&self, name: &str, records: &[(&str, u16)]) {
        let records = records.iter().map(|(target, port)| ((*target).to_owned(), *port)).collect();
        self.change(|zone| drop(zone.services.insert(name.to_owned(), records)));
    }

    /// The addresses of a host, in the place of those before.
    pub(crate) fn host(&self, name: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|ip| ip.parse().expect("an address")).collect();
        self.change(|zone| drop(zone.hosts.insert(name.to_owned(), addresses)));
    }

    /// Whether questions about a name fail.
    pub(crate) fn fail(&self, name: &str, fails: bool) {
        self.change(|zone| {
            zone.failing.retain(|other| other != name);
            zone.failing.extend(fails.then(|| name.to_owned()));
        });
    }

    /// The names that it was asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.change(|zone| zone.asked.clone())
    }

    fn change<T>(&self, change: impl FnOnce(&mut Zone) -> T) -> T {
        change(&mut self.zone.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn serve(socket: &UdpSocket, zone: &Mutex<Zone>) {
    let mut bytes = [0; 4096];
    loop {
        let Ok((len, from)) = socket.recv_from(&mut bytes) else { return };
        let Ok(request) = Message::from_vec(&bytes[..len]) else { continue };
        let mut zone = zone.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = zone.answer(&request).to_vec().expect("an answer is encoded");
        drop(zone);
        // Whoever is gone asks no more.
        let _ = socket.send_to(&answer, from);
    }
}

impl Zone {
    fn answer(&mut self, request: &Message) -> Message {
        let mut answer = Message::response(request.metadata.id, request.metadata.op_code);
        answer.metadata.recursion_desired = request.metadata.recursion_desired;
        answer.metadata.recursion_available = true;
        let Some(query) = request.queries.first() else { return answer };
        answer.add_query(query.clone());
        let name = query.name().to_ascii().to_ascii_lowercase();
        let name = name.trim_end_matches('.').to_owned();
        self.asked.push(name.clone());
        if self.failing.contains(&name) {
            answer.metadata.response_code = ResponseCode::ServFail;
            return answer;
        }
        let data: Vec<RData> = match query.query_type() {
            RecordType::SRV => {
                let records = self.services.get(&name).into_iter().flatten();
                records.map(|(target, port)| RData::SRV(srv(target, *port))).collect()
            }
            wanted => {
                let addresses = self.hosts.get(&name).into_iter().flatten();
                let data = addresses.map(|address| match address {
                    IpAddr::V4(v4) => RData::A((*v4).into()),
                    IpAddr::V6(v6) => RData::AAAA((*v6).into()),
                });
                data.filter(|data| data.record_type() == wanted).collect()
            }
        };
        let exists = self.hosts.contains_key(&name) || self.services.contains_key(&name);
        if !exists {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        let record = |data| Record::from_rdata(query.name().clone(), TTL, data);
        answer.add_answers(data.into_iter().map(record));
        answer
    }
}

fn srv(target: &str, port: u16) -> SRV {
    SRV::new(0, 0, port, Name::from_ascii(format!("{target}.")).expect("a name"))
}
