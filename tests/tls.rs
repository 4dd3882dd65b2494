//! TLS on both ports: clusters over it, who is let in, and what is said to who is not.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::support::certificates::{Authority, Issued, Valid};
use crate::support::client::Client;
use crate::support::cluster::Cluster;
use crate::support::process::Signal;
use crate::support::refusal::{is_absent, run};
use crate::support::wait::wait_until;
use crate::support::{Missing, QUORATE, left_out};

const SIZE: usize = 3;

/// A cluster whose clients and members show certificates of an authority. Member `n` shows
/// `infraN.pem`, clients `client.pem`.
struct Secured {
    cluster: Cluster,
    authority: Authority,
}

impl Secured {
    /// Nothing is started yet.
    fn new(size: usize) -> Self {
        let authority = Authority::new("members and clients");
        let own = authority.issue(&["client"]);
        let client = Client::secure(&authority, Some(&own));
        let cluster = Cluster::new(size).speaking_tls(client);
        authority.write(&cluster.dir().join("ca.pem"));
        own.write(cluster.dir(), "client");
        let secured = Self { cluster, authority };
        for member in 0..size {
            secured.certify(member, &secured.certificate());
        }
        secured
    }

    /// A certificate that any of the members may show.
    fn certificate(&self) -> Issued {
        self.authority.issue(&[self.cluster.host()])
    }

    fn certify(&self, member: usize, issued: &Issued) {
        issued.write(self.cluster.dir(), &format!("infra{member}"));
    }

    /// The whole command line of a member.
    fn command(&self, member: usize) -> Command {
        let file = |name: &str| self.cluster.dir().join(name);
        let mut command = self.cluster.command(member);
        for side in ["", "peer-"] {
            command
                .arg(format!("-{side}cert-file"))
                .arg(file(&format!("infra{member}.pem")))
                .arg(format!("-{side}key-file"))
                .arg(file(&format!("infra{member}.key")))
                .arg(format!("-{side}trusted-ca-file"))
                .arg(file("ca.pem"))
                .arg(format!("-{side}client-cert-auth"));
        }
        command.args(["-initial-cluster", &self.cluster.list()]);
        command
    }

    fn start_all(&mut self) {
        for member in 0..self.cluster.size() {
            let command = self.command(member);
            self.cluster.start_as(member, command);
        }
    }

    fn await_log(&mut self, member: usize, part: &str) {
        let process = self.cluster.process(member);
        wait_until(&format!("member {member} says {part:?}"), || {
            assert!(process.runs(), "member {member} ended");
            process.log().contains(part)
        });
    }
}

#[test]
fn a_cluster_forms_and_serves_with_certificates_on_both_sides() {
    let mut secured = Secured::new(SIZE);
    secured.start_all();
    let Secured { cluster, .. } = &mut secured;
    cluster.await_ready();
    cluster.put(0, "/message", "secret");
    assert_eq!(cluster.get_quorum(2, "/message").at("/node/value"), "secret");

    // A member that was down catches up over TLS as well.
    cluster.kill(1);
    cluster.put(0, "/message", "newer");
    let command = secured.command(1);
    secured.cluster.start_as(1, command);
    secured.cluster.await_ready();
    assert_eq!(secured.cluster.get_quorum(1, "/message").at("/node/value"), "newer");
}

/// With auth on, who says nothing about itself is the user that its certificate names.
#[test]
fn a_certificate_stands_for_the_user_of_its_name() {
    let root = "Basic cm9vdDpwdw==";
    let mut secured = Secured::new(1);
    secured.start_all();
    let Secured { cluster, .. } = &mut secured;
    cluster.await_ready();
    let ask = |method: &str, path: &str, who: Option<&str>, body: &str| {
        let who = who.map(|who| ("Authorization".to_owned(), who.to_owned()));
        let headers = who.into_iter().collect();
        let body = (!body.is_empty()).then_some(body);
        let answer = cluster.client.request(method, &cluster.url(0, path), &headers, body);
        answer.expect("answered").status
    };
    wait_until("the version of the cluster is decided", || {
        ask("PUT", "/v2/auth/users/root", None, r#"{"user":"root","password":"pw"}"#) == 201
    });
    let role = r#"{"role":"r","permissions":{"kv":{"read":["/own*"],"write":["/own*"]}}}"#;
    // All certificates of these tests have this common name.
    let user = r#"{"user":"infra","password":"pw","roles":["r"]}"#;
    assert_eq!(ask("PUT", "/v2/auth/roles/r", None, role), 201);
    assert_eq!(ask("PUT", "/v2/auth/users/infra", None, user), 200);
    assert_eq!(ask("PUT", "/v2/auth/enable", None, ""), 200);
    assert_eq!(ask("DELETE", "/v2/auth/roles/guest", Some(root), ""), 200);
    assert_eq!(ask("PUT", "/v2/keys/own", None, ""), 201);
    assert_eq!(ask("PUT", "/v2/keys/other", None, ""), 401);
    assert_eq!(
        ask("GET", "/v2/keys/own", Some("Basic cm9vdDpubw=="), ""),
        401,
        "it says something"
    );
    assert_eq!(ask("GET", "/v2/auth/users", None, ""), 401, "it is not root");
    assert_eq!(ask("PUT", "/v2/keys/other", Some(root), ""), 201);
}

#[test]
fn curl_is_let_in_with_a_certificate_and_not_without() {
    if Command::new("curl").arg("--version").output().is_err() {
        left_out(
            "curl_is_let_in_with_a_certificate_and_not_without",
            Missing::Program("curl".to_owned()),
        );
        return;
    }
    let mut secured = Secured::new(1);
    secured.start_all();
    secured.cluster.await_ready();
    let dir = secured.cluster.dir().to_owned();
    let version = secured.cluster.url(0, "/version");
    let curl = |args: &[&str], url: &str| {
        let mut command = Command::new("curl");
        command.args(["-sS", "--cacert"]).arg(dir.join("ca.pem")).args(args).arg(url);
        let output = command.output().expect("curl runs");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let certificate = dir.join("client.pem").to_string_lossy().into_owned();
    let key = dir.join("client.key").to_string_lossy().into_owned();
    let (succeeded, said) = curl(&["--cert", &certificate, "--key", &key], &version);
    assert!(succeeded && said.contains("etcdserver"), "{said}");

    let (succeeded, said) = curl(&[], &version);
    assert!(!succeeded && said.is_empty(), "{said}");
    secured.await_log(0, "it showed no certificate, and -client-cert-auth");

    let (succeeded, said) = curl(&[], &version.replace("https", "http"));
    assert!(succeeded);
    assert_eq!(said, "Client sent an HTTP request to an HTTPS server.\n");
    secured.await_log(0, "it sent a plain HTTP request, and here TLS is spoken");
}

/// Two members, of which the second shows something else. What each of them says about it.
fn mistrusted(shown: impl FnOnce(&Secured) -> Issued) -> Secured {
    let mut secured = Secured::new(2);
    let shown = shown(&secured);
    secured.certify(1, &shown);
    secured.start_all();
    secured
}

#[test]
fn a_certificate_of_another_authority_is_named_at_both_ends() {
    let mut secured =
        mistrusted(|secured| Authority::new("other").issue(&[secured.cluster.host()]));
    let here =
        "its certificate was refused here: it is not signed by an authority that is believed";
    let there = "it refused the handshake: the certificate shown to it is not signed by";
    secured.await_log(0, here);
    secured.await_log(1, there);
}

#[test]
fn an_expired_certificate_is_named_at_both_ends() {
    let mut secured =
        mistrusted(|secured| secured.authority.issue_for(&[secured.cluster.host()], Valid::Once));
    secured.await_log(0, "its certificate was refused here: it expired at 2001-01-01T00:00:00Z");
    secured.await_log(1, "it refused the handshake: the certificate shown to it has expired");
    secured.await_log(1, "will be refused: it expired at 2001-01-01T00:00:00Z");
}

#[test]
fn a_certificate_for_another_host_is_named_at_both_ends() {
    let mut secured = mistrusted(|secured| secured.authority.issue(&["elsewhere"]));
    let host = secured.cluster.host().to_owned();
    secured.await_log(0, &format!("it was asked for {host}, and it is for"));
    secured.await_log(0, "elsewhere");
    secured.await_log(1, "it refused the handshake: the certificate shown to it did not pass");
}

#[test]
fn a_member_without_a_certificate_is_named_at_both_ends() {
    let mut secured = Secured::new(2);
    let command = secured.command(0);
    secured.cluster.start_as(0, command);
    // It only listens without TLS, and dials with the right authority.
    let mut command = secured.cluster.command(1);
    command.arg("-peer-trusted-ca-file").arg(secured.cluster.dir().join("ca.pem"));
    command.args(["-listen-peer-urls", &secured.cluster.peer_url(1).replace("https", "http")]);
    let client_url = secured.cluster.url(1, "").replace("https", "http");
    command.args(["-listen-client-urls", &client_url, "-advertise-client-urls", &client_url]);
    command.args(["-initial-cluster", &secured.cluster.list()]);
    secured.cluster.start_as(1, command);
    secured
        .await_log(0, "it showed no certificate, and -client-cert-auth or -peer-client-cert-auth");
    secured.await_log(1, "it demands a certificate and was shown none");
    // And the other way round: one speaks TLS, and the other does not.
    secured.await_log(0, "it does not speak TLS");
    secured.await_log(1, "it began to speak TLS, and here plain HTTP is spoken");
}

#[test]
fn certificates_are_replaced_under_load_without_a_failed_request() {
    let mut secured = Secured::new(SIZE);
    secured.start_all();
    secured.cluster.await_ready();
    let stop = AtomicBool::new(false);
    let urls: Vec<String> =
        (0..SIZE).map(|member| secured.cluster.url(member, "/v2/keys/load")).collect();
    let client = &secured.cluster.client.clone();
    thread::scope(|scope| {
        let load: Vec<_> = urls
            .iter()
            .map(|url| {
                let stop = &stop;
                scope.spawn(move || {
                    let mut done = 0;
                    while !stop.load(Ordering::Relaxed) {
                        client.put(url, &format!("value={done}")).expect("an answer").ok();
                        done += 1;
                    }
                    done
                })
            })
            .collect();
        for member in 0..SIZE {
            let read_again = "the TLS files were read again";
            let renewed = secured.certificate();
            secured.certify(member, &renewed);
            secured.await_log(member, read_again);
            let times = |secured: &mut Secured| {
                secured.cluster.process(member).log().matches(read_again).count()
            };
            let before = times(&mut secured);
            secured.cluster.process(member).signal(Signal::HUP);
            wait_until("SIGHUP is heeded", || times(&mut secured) > before);
        }
        stop.store(true, Ordering::Relaxed);
        let done: Vec<i32> =
            load.into_iter().map(|load| load.join().expect("no failure")).collect();
        assert!(done.iter().all(|done| *done > 0), "nothing was asked: {done:?}");
    });
}

#[test]
fn members_make_their_own_certificates_if_asked_to() {
    let mut cluster = Cluster::new(2).with_flags(&["-peer-auto-tls"]);
    let list = cluster.list().replace("http:", "https:");
    for member in 0..2 {
        let peer_url = cluster.peer_url(member).replace("http:", "https:");
        let mut command = cluster.command(member);
        command.args(["-listen-peer-urls", &peer_url, "-initial-advertise-peer-urls", &peer_url]);
        command.args(["-initial-cluster", &list]);
        cluster.start_as(member, command);
    }
    cluster.await_ready();
    cluster.put(0, "/a", "1");
    assert_eq!(cluster.get_quorum(1, "/a").at("/node/value"), "1");
}

#[test]
fn what_tls_lacks_is_refused_before_anything_is_touched() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let authority = Authority::new("one");
    authority.issue(&["a"]).write(dir.path(), "one");
    let refused = |flags: &[&str], text: &str| {
        let mut command = Command::new(QUORATE);
        command.arg("-data-dir").arg(&data).current_dir(dir.path());
        command.args(["-listen-client-urls", "https://127.0.0.1:0"]);
        command.args(["-advertise-client-urls", "https://127.0.0.1:2379"]).args(flags);
        let ended = run(command);
        ended.assert_refused(1, text);
        assert!(is_absent(&data), "something was made for {flags:?}");
    };
    refused(
        &[],
        "cannot listen on TLS for https://127.0.0.1:0: KeyFile and CertFile are not presented",
    );
    let file = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let (certificate, key, absent) = (file("one.pem"), file("one.key"), file("absent"));
    refused(
        &["-cert-file", &certificate],
        "error verifying flags, -cert-file and -key-file go together",
    );
    refused(
        &["-cert-file", &certificate, "-key-file", &absent],
        &format!("cannot read {absent}: No such file or directory (os error 2)"),
    );
    refused(
        &["-cert-file", &certificate, "-key-file", &key, "-client-cert-auth"],
        "error verifying flags, -client-cert-auth needs -trusted-ca-file",
    );
}
