//! Every feature over real sockets, in one binary.

mod architecture;
mod bucket;
mod catalog;
mod chat;
mod direct;
mod edge;
mod faults;
mod fixtures;
mod functions;
mod guide;
mod ingest;
mod lane;
mod live;
mod m3u;
mod moto;
mod openapi;
mod origins;
mod outages;
mod posters;
mod program;
mod publish;
mod pulse;
mod server;
mod sockets;
mod sources;
mod streams;
