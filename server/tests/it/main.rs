//! Every feature over real sockets, in one binary.

mod chat;
mod ingest;
mod live;
mod sockets;
