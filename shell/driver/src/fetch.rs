//! Answers that are too long to be held, for programs that ask a member.

use std::future::Future;
use std::time::Duration;

use quorate_core::http::{Answer, Call};

use crate::life::Life;
use crate::outcall::begin;
use crate::platform::Platform;

/// What came of asking.
#[derive(Debug)]
pub enum Fetched<E> {
    /// All of the body was taken.
    Whole,
    /// Another status than 200.
    Refused(Answer),
    /// Who takes the body does not want more.
    Stopped(E),
    /// No answer, or one that broke off; in words.
    Broken(String),
}

/// Makes a call, and hands the body of an answer of status 200 to `take` as it comes. The timeout of
/// the call is how long the other end may say nothing.
pub async fn fetch<P: Platform, E>(
    platform: &P,
    call: &Call,
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> Fetched<E> {
    let (life, _ender) = Life::new();
    let patience = call.timeout;
    let mut begun = match in_time(platform, patience, begin(platform, &life, call)).await {
        Ok(Ok(begun)) => begun,
        Ok(Err(cause)) | Err(cause) => return Fetched::Broken(cause),
    };
    if begun.head().status != 200 {
        return match in_time(platform, patience, begun.whole()).await {
            Ok(Ok(answer)) => Fetched::Refused(answer),
            Ok(Err(cause)) | Err(cause) => Fetched::Broken(cause),
        };
    }
    loop {
        match in_time(platform, patience, begun.next()).await {
            Ok(None) => return Fetched::Whole,
            Ok(Some(Ok(bytes))) => {
                if let Err(error) = take(&bytes) {
                    return Fetched::Stopped(error);
                }
            }
            Ok(Some(Err(cause))) | Err(cause) => return Fetched::Broken(cause),
        }
    }
}

async fn in_time<P: Platform, T>(
    platform: &P,
    patience: Duration,
    what: impl Future<Output = T>,
) -> Result<T, String> {
    tokio::select! {
        biased;
        done = what => Ok(done),
        () = platform.sleep(patience) => Err(format!("nothing came within {patience:?}")),
    }
}
