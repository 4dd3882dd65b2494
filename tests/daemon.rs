//! The daemon as its users see it: one module for each part of what it promises.
//!
//! All of them are one program, which is linked once. What takes minutes or hours stands by itself.

mod auth;
mod backup;
mod bad_input;
mod collisions;
mod command_line;
mod crash;
mod discovery;
mod discovery_backend;
mod discovery_https;
mod discovery_service;
mod dns;
mod docs;
mod etcd_discovery;
mod etcd_peers;
mod exchanged;
mod front_door;
mod full_disk;
mod guide;
mod import;
mod join;
mod joining;
mod members;
mod migration;
mod newcomers;
mod observed;
mod old_copies;
mod planted;
mod proxy;
mod static_bootstrap;
mod support;
mod tls;
mod transcripts;
mod v2_clients;
mod v2_differential;
mod v2_smoke;
mod v2_transcripts;
mod watching;
mod way_back;
mod wiped;
