//! HLS as text (RFC 8216): playlists read and written, the addresses in them, and media types. Pure:
//! nothing here knows a file, a store or a request.

pub mod media_type;
pub mod parsed;
pub mod playlist;
pub mod render;
pub mod uri;
