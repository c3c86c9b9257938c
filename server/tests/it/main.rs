//! Every feature over real sockets, in one binary.

mod architecture;
mod bucket;
mod catalog;
mod chat;
mod edge;
mod faults;
mod fixtures;
mod guide;
mod ingest;
mod live;
mod m3u;
mod moto;
mod origins;
mod outages;
mod posters;
mod program;
mod pulse;
mod server;
mod sockets;
mod sources;
mod streams;
