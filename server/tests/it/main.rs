//! Every feature over real sockets, in one binary.

mod architecture;
mod catalog;
mod chat;
mod fixtures;
mod functions;
mod guide;
mod ingest;
mod live;
mod posters;
mod pulse;
mod sockets;
mod streams;
