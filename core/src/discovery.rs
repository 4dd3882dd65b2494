//! The discovery service of etcd's v2 API: how members that do not know each other find out who
//! they are.
//!
//! The service is any store that speaks the v2 API. A token is a directory in it: under
//! `_config/size` stands how many members the cluster is to have, beside it one key for each member
//! that has registered, in the order of their creation. The first ones, as many as the size says,
//! are the cluster; whoever comes later is too late. So all members derive the same list from the
//! same directory, and the URL of the token is the token of the cluster.
//!
//! [`Client`] is the side of a member, as a state machine; [`service`] is a service for everybody.

mod answer;
mod client;
mod place;
mod refusals;
mod registered;
mod registration;
pub mod service;
mod token;

pub use answer::{Entry, Listing};
pub use client::{Client, Verdict};
pub use place::Place;
pub use registration::Registration;
pub use token::Token;
