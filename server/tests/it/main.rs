//! Every feature over real sockets, in one binary.

mod chat;
mod live;
mod sockets;
