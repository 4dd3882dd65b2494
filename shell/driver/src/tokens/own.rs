//! Tokens in the store of this process's own member.

use std::future::poll_fn;
use std::time::Duration;

use quorate_core::api::front::Resource;
use quorate_core::api::read::{Read, admit};
use quorate_core::api::{self, KeysRequest, Rendered, Request, WatchRequest};
use quorate_core::discovery::service;
use quorate_core::http::{Answer, Reply};

use super::{Keeper, Waited, index};
use crate::client::{Port, WATCH_QUEUE};
use crate::platform::Platform;

impl<P: Platform> Keeper for Port<P> {
    async fn read(&self, read: &Read) -> Answer {
        let read = match self.view(admit).await {
            Ok(view) => told(self, &read.answer(&view)),
            Err(late) => late,
        };
        service::answer(read)
    }

    async fn write(&self, request: KeysRequest) -> Answer {
        service::answer(told(self, &self.ask(Request::Keys(request)).await))
    }

    async fn wait(&self, wait: &WatchRequest, patience: Duration) -> Waited {
        let Ok(_room) = self.watchers.try_acquire() else {
            return Waited::Answered(service::answer(service::too_many()));
        };
        let mut events = self.asker.parts(Request::Watch(wait.clone()), WATCH_QUEUE).await;
        let first = poll_fn(|cx| events.poll_next(cx)).await;
        let first = first.unwrap_or(api::Response::Failed(api::Failure::Stopping));
        let Rendered::Head(reply) = self.render(&first, self.cluster(), false) else {
            return Waited::Answered(service::answer(told(self, &first)));
        };
        let mut answer = service::answer(reply);
        let event = tokio::select! {
            biased;
            event = poll_fn(|cx| events.poll_next(cx)) => event,
            () = self.platform.sleep(patience) => return Waited::Quiet(index(&answer)),
        };
        if let Some(event) = event
            && let Rendered::Part(bytes) = self.render(&event, self.cluster(), false)
        {
            answer.body = bytes;
        }
        Waited::Answered(answer)
    }

    async fn health(&self) -> Reply {
        let (Ok(reply) | Err(reply)) =
            self.view(|_| true).await.map(|view| Resource::Health.reply(&view));
        reply
    }

    async fn metrics(&self) -> String {
        match self.view(|_| true).await {
            Ok(view) => self.measured(&view),
            Err(_) => String::new(),
        }
    }
}

fn told<P: Platform>(port: &Port<P>, answer: &api::Response) -> Reply {
    port.whole(answer, port.cluster(), false)
}
