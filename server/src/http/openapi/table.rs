//! Every address in words: one row each, in the order in which they are read.

use utoipa::openapi::path::{
    HttpMethod,
    ParameterIn::{self, Header, Path, Query},
};

/// One method of one address.
pub(super) struct Address {
    pub(super) method: HttpMethod,
    pub(super) path: &'static str,
    pub(super) group: &'static str,
    pub(super) what: &'static str,
    /// Empty where there is no more to say.
    pub(super) more: &'static str,
    pub(super) takes: &'static [(ParameterIn, &'static str, &'static str)],
    pub(super) body: Option<Told>,
    pub(super) answers: &'static [(u16, &'static str, Option<Told>)],
}

/// What a body is.
pub(super) enum Told {
    /// JSON of this form.
    One(&'static str),
    /// A JSON array of this form.
    Many(&'static str),
    /// A JSON array of ids.
    Ids,
    /// Something of this media type.
    Text(&'static str),
}

const LIST: &str = "List";
const STREAMS: &str = "Streams";
const TALK: &str = "Talk";
const HOUSE: &str = "House";
const PAGES: &str = "Pages";
const FILES: &str = "Files";

/// The groups of addresses, and what they are for.
pub(super) const GROUPS: [(&str, &str); 6] = [
    (LIST, "What can be watched."),
    (STREAMS, "The media themselves: playlists, segments, bare files, posters, subtitles."),
    (TALK, "Chat, likes, who is here, and the list as it changes."),
    (HOUSE, "How the server is, and what it can do."),
    (PAGES, "Pages for people; in English or Spanish, by Accept-Language or ?lang=."),
    (FILES, "What pages are made of; built with the program."),
];

const HTML: Option<Told> = Some(Told::Text("text/html"));
const FAULT: Option<Told> = Some(Told::One("Fault"));
const PAGE: &[(u16, &str, Option<Told>)] = &[(200, "The page.", HTML)];
const FILE: &[(u16, &str, Option<Told>)] = &[
    (200, "The file.", Some(Told::Text("application/octet-stream"))),
    (206, "A part of it.", Some(Told::Text("application/octet-stream"))),
    (304, "It is as it was.", None),
    (404, "No such file.", FAULT),
    (416, "Nothing of it lies there.", None),
];
const CONDITION: (ParameterIn, &str, &str) =
    (Header, "If-None-Match", "The ETag of what is held already.");
const LANG: (ParameterIn, &str, &str) = (Query, "lang", "en or es; remembered.");

const fn get(group: &'static str, path: &'static str, what: &'static str) -> Address {
    let method = HttpMethod::Get;
    Address { method, path, group, what, more: "", takes: &[], body: None, answers: PAGE }
}

/// Every address. A test compares them with the router.
pub(super) const ADDRESSES: [Address; 30] = [
    Address {
        answers: &[
            (200, "Ids in feed order.", Some(Told::Ids)),
            (304, "It is as it was.", None),
            (503, "The list is not read yet: `starting`, with Retry-After.", FAULT),
        ],
        takes: &[CONDITION],
        ..get(LIST, "/api/channels", "The ids of all channels")
    },
    Address {
        takes: &[(Path, "id", "The channel's id, percent-encoded.")],
        answers: &[
            (200, "The media object.", Some(Told::One("Media"))),
            (404, "There is no such channel: `unknown_channel`.", FAULT),
            (503, "The list is not read yet: `starting`, with Retry-After.", FAULT),
        ],
        ..get(LIST, "/api/channels/{id}", "One media object")
    },
    Address {
        takes: &[
            (Query, "offset", "Skip so many."),
            (Query, "limit", "Tell so many at most."),
            CONDITION,
        ],
        answers: &[
            (200, "Media objects in feed order.", Some(Told::Many("Media"))),
            (304, "It is as it was.", None),
            (400, "offset or limit is no whole number: `bad_query`.", FAULT),
            (503, "The list is not read yet: `starting`, with Retry-After.", FAULT),
        ],
        ..get(LIST, "/api/videos", "All media objects, video and audio, of every source")
    },
    Address {
        more: "For VLC, Kodi and TV apps: addresses are absolute, `tvg-id` is the id, \
               `group-title` the tags.",
        takes: &[CONDITION],
        answers: &[
            (200, "An M3U list in UTF-8.", Some(Told::Text("audio/x-mpegurl"))),
            (304, "It is as it was.", None),
            (503, "The list is not read yet: `starting`, with Retry-After.", FAULT),
        ],
        ..get(LIST, "/channels.m3u", "The channels as an M3U list")
    },
    Address {
        more: "What the page itself asks as one scrolls.",
        takes: &[
            (Query, "order", "feed (default), newest, or shuffle. and a seed."),
            (
                Query,
                "anchor",
                "first, last, an id behind =, a place from 0 behind /, or both. Required.",
            ),
            (Query, "before", "At most so many ahead of the anchor; 100 at most. Required."),
            (Query, "after", "At most so many behind it; 100 at most. Required."),
        ],
        answers: &[
            (200, "The part of the list.", Some(Told::One("Window"))),
            (400, "The anchor or the order is not of its form.", Some(Told::Text("text/plain"))),
            (404, "There is no such anchor.", Some(Told::Text("text/plain"))),
            (503, "The list is not read yet.", Some(Told::Text("text/plain"))),
        ],
        ..get(LIST, "/api/fn/channels", "A part of the list around an anchor")
    },
    Address {
        more: "`/streams/{id}/playlist.m3u8` and what it names, `/streams/{file}` for a bare file, \
               `/streams/{id}/poster.webp`, `/streams/{id}/waveform.json`. Addresses that a playlist \
               carries with `v=` lead to the same bytes for ever; without it they are asked for again.",
        takes: &[
            (Path, "path", "As the list or a playlist says it."),
            (Query, "v", "The version that a playlist carries."),
            (Header, "Range", "One range of bytes; several are answered with the whole."),
            CONDITION,
            (Header, "If-Modified-Since", "The Last-Modified of what is held already."),
            (Header, "If-Range", "The ETag or the time that the range belongs to."),
        ],
        answers: &[
            (200, "The whole.", Some(Told::Text("application/octet-stream"))),
            (206, "The part.", Some(Told::Text("application/octet-stream"))),
            (304, "It is as it was.", None),
            (307, "The bucket gives it itself; with S3_DELIVERY=redirect alone.", None),
            (404, "It is on no list, or its version is gone: `not_found`.", FAULT),
            (412, "It is not what If-Match says.", None),
            (416, "The range is outside of it.", None),
            (503, "Its source is away: `source_away`, with Retry-After.", FAULT),
        ],
        ..get(STREAMS, "/streams/{path}", "A playlist, a segment, a bare file, what lies beside it")
    },
    Address {
        method: HttpMethod::Options,
        takes: &[(Path, "path", "Any.")],
        answers: &[(204, "Any page may read it.", None)],
        ..get(STREAMS, "/streams/{path}", "Whether another site's page may ask for a range")
    },
    Address {
        more: "Text frames of JSON, one object or an array of them; `type` names the event. The \
               client says join, chat_message, watch, reaction, fetch_videos; the server videos, \
               history, user_count, joined, chat_message, reaction, error.",
        takes: &[
            (Query, "version", "The version of the list that is held already."),
            (Header, "Origin", "Has to be this host, PUBLIC_URL or one of CORS_ORIGINS."),
        ],
        answers: &[
            (101, "The socket is open.", None),
            (403, "A page of another site: `foreign_origin`.", FAULT),
            (426, "No upgrade was asked for: `upgrade_required`.", FAULT),
            (503, "Too many are connected: `too_many_sockets`.", FAULT),
        ],
        ..get(TALK, "/ws", "The WebSocket")
    },
    Address {
        answers: &[
            (
                200,
                "It serves: `ok`, or `degraded` with the kinds of its reasons.",
                Some(Told::One("Health")),
            ),
            (503, "`starting` or `stopping`.", Some(Told::One("Health"))),
        ],
        ..get(HOUSE, "/api/health", "Whether the server is well")
    },
    Address {
        answers: &[(
            200,
            "Sums only; nobody and no channel is named.",
            Some(Told::Text("text/plain")),
        )],
        ..get(HOUSE, "/metrics", "What is counted, for Prometheus")
    },
    Address {
        method: HttpMethod::Post,
        more: "Sent by navigator.sendBeacon as text/plain, or as JSON; nobody is named in it.",
        body: Some(Told::One("Beat")),
        answers: &[
            (204, "It is counted.", None),
            (400, "It is no JSON object: `bad_request`.", FAULT),
            (403, "A page of another site: `foreign_origin`.", FAULT),
            (413, "It is longer than 2 KiB: `too_large`.", FAULT),
            (415, "It is neither text nor JSON: `unsupported_media_type`.", FAULT),
            (429, "Too many at once: `slow_down`, with Retry-After.", FAULT),
        ],
        ..get(HOUSE, "/api/pulse", "A page reports how fast it was")
    },
    Address {
        takes: &[(Query, "path", "The page it leads to, as /c/{id}; the first where absent.")],
        answers: &[
            (200, "The code.", Some(Told::Text("image/svg+xml"))),
            (404, "The path is no page of a channel.", FAULT),
        ],
        ..get(HOUSE, "/qr.svg", "A QR code that lets the others in")
    },
    Address {
        answers: &[(200, "OpenAPI 3.1.", Some(Told::Text("application/json")))],
        ..get(HOUSE, "/api/openapi.json", "This description")
    },
    Address { takes: &[LANG], ..get(HOUSE, "/api/docs", "This description as a page") },
    Address { takes: &[LANG], ..get(PAGES, "/", "The reels, from the first on") },
    Address {
        takes: &[(Path, "id", "The channel's id, percent-encoded."), LANG],
        answers: &[
            (200, "The page, with that channel on screen.", HTML),
            (404, "A page that says that there is no such channel.", HTML),
        ],
        ..get(PAGES, "/c/{id}", "The reels, from one channel on")
    },
    Address {
        takes: &[
            (Query, "q", "Words of title, tag, id or number."),
            (Query, "tag", "This tag alone."),
            (Query, "only", "music or live."),
            (Query, "roll", "From this roll on, from 1."),
            LANG,
        ],
        ..get(PAGES, "/guide", "Everything as a contact sheet")
    },
    Address {
        takes: &[(Path, "number", "From 1."), LANG],
        answers: &[(200, "The roll.", HTML), (404, "There is no such roll.", FAULT)],
        ..get(PAGES, "/guide/rolls/{number}", "One roll of the contact sheet, alone")
    },
    Address { takes: &[LANG], ..get(PAGES, "/pulse", "How fast it feels, for the operator") },
    Address {
        takes: &[(Path, "path", "As a page names it.")],
        answers: FILE,
        ..get(FILES, "/pkg/{path}", "Program and style, under names that change with them")
    },
    Address {
        takes: &[(Path, "path", "As a page names it.")],
        answers: FILE,
        ..get(FILES, "/vendor/{path}", "The player's library")
    },
    Address { answers: FILE, ..get(FILES, "/guide.css", "The style of the guide") },
    Address {
        takes: &[(Query, "v", "As a page names it.")],
        answers: FILE,
        ..get(FILES, "/early.mjs", "Plays the first reel before the program is there")
    },
    Address { answers: FILE, ..get(FILES, "/pages.css", "The style of small pages") },
    Address { answers: FILE, ..get(FILES, "/pulse.css", "The style of the pulse") },
    Address { answers: FILE, ..get(FILES, "/pulse.js", "What keeps the pulse up to date") },
    Address { answers: FILE, ..get(FILES, "/api.css", "The style of this description") },
    Address { answers: FILE, ..get(FILES, "/icon.svg", "The icon") },
    Address { answers: FILE, ..get(FILES, "/icons.svg", "The signs on buttons") },
    Address { answers: FILE, ..get(FILES, "/og.jpg", "What a link to the product shows") },
];
