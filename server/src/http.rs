//! What speaks HTTP: connections, the router, the pages, the list and the small answers. Segments and
//! playlists are answered by `delivery`, sockets by `websocket`.

pub mod assets;
pub mod channels;
mod guide;
mod health;
pub(crate) mod listener;
mod m3u;
pub mod openapi;
mod pages;
mod qr;
pub mod router;
pub mod state;
mod visitor;
