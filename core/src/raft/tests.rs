//! Scripts over a cluster without files, network or clock.
