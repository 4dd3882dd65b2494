//! Servers outside of the cluster, as a process of this world reaches them.

use quorate_core::Input;
use quorate_core::http::{Answer, Call, Method};
use quorate_core::node::CallId;
use quorate_core::time::Duration;

use crate::lockstep::World;
use crate::lockstep::event::{Event, Process};
use crate::lockstep::toy::{self, Toy};
use crate::options::Options;
use crate::outside::discovery::Trouble;
use crate::record::Recorder;
use crate::scenario::Scenario;

/// Lets time pass until a node is told what came of a call.
fn answer(world: &mut World<Toy>) -> (CallId, Result<Answer, String>) {
    while let Some((time, event)) = world.queue.pop() {
        world.time = time;
        match event {
            Event::Call { from, to, call, request } => world.serve_call(from, to, call, &request),
            Event::Input(_, input) => {
                if let Input::Http { call, result } = *input {
                    return (call, result);
                }
            }
            _ => {}
        }
    }
    panic!("nobody answers");
}

#[test]
fn the_discovery_service_is_reached_by_its_name() {
    toy::FAULT.set(toy::SOUND);
    let calm = Options { members: 3, ..Options::default() };
    let mut world = World::<Toy>::new(Scenario::with(1, calm), Recorder::new(false));
    let process = Process { host: 0, boot: 0 };
    let call = |method, rest: &str| Call {
        method,
        url: format!("http://discovery:2379/token{rest}"),
        headers: Vec::new(),
        body: bytes::Bytes::from_static(b"value=m0"),
        timeout: Duration::from_secs(1),
        role: quorate_core::tls::Role::Public,
        via: None,
    };
    world.call(process, CallId(1), call(Method::Get, "?wait=true&waitIndex=2"));
    world.call(process, CallId(2), call(Method::Get, "/_config/size"));
    let (number, size) = answer(&mut world);
    assert_eq!((number, size.map(|answer| answer.status)), (CallId(2), Ok(200)));
    world.call(process, CallId(3), call(Method::Put, "/a?prevExist=false"));
    let ends = [answer(&mut world), answer(&mut world)];
    let ends = ends.map(|(number, result)| (number, result.map(|answer| answer.status)));
    assert_eq!(ends, [(CallId(1), Ok(200)), (CallId(3), Ok(201))]);
    for (trouble, end) in [
        (Trouble::LosesAnswers, Err("timed out".to_owned())),
        (Trouble::Slow(100), Ok(412)),
        (Trouble::Slow(2000), Err("timed out".to_owned())),
    ] {
        world.discovery.trouble(Some(trouble));
        world.call(process, CallId(4), call(Method::Put, "/a?prevExist=false"));
        // The poll runs out of time too, although it was answered.
        let mut ends = std::iter::repeat_with(|| answer(&mut world));
        let ended = ends.find(|(number, _)| *number == CallId(4)).map(|(_, result)| result);
        assert_eq!(ended.map(|result| result.map(|answer| answer.status)), Some(end));
    }
}
