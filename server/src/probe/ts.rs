//! MPEG transport streams (ISO/IEC 13818-1): the program tables and the first H.264 parameter set.

use std::{collections::HashMap, io::Read};

use h264_reader::{
    nal::sps::SeqParameterSet,
    rbsp::{BitReader, decode_nal},
};

use super::{Probe, Track, container::packet_start, frames};

const PACKET: usize = 188;
/// How much of the start is looked at, in bytes.
const LOOKED_AT: u64 = 1024 * PACKET as u64;

/// Reads the start of a transport stream.
pub(super) fn read(file: impl Read) -> Option<Probe> {
    let mut bytes = Vec::new();
    file.take(LOOKED_AT).read_to_end(&mut bytes).ok()?;
    let start = packet_start(&bytes, PACKET).unwrap_or(0);
    let mut tables = None;
    let mut streams: HashMap<u16, u8> = HashMap::new();
    let mut payloads: HashMap<u16, Vec<u8>> = HashMap::new();
    for packet in bytes[start..].chunks_exact(PACKET).filter(|packet| packet[0] == 0x47) {
        let pid = u16::from_be_bytes([packet[1] & 0x1F, packet[2]]);
        let starts = packet[1] & 0x40 != 0;
        let Some(payload) = payload(packet) else { continue };
        if pid == 0 && starts {
            tables = tables.or_else(|| program_map_pid(section(payload)?));
        } else if Some(pid) == tables && starts {
            for (pid, kind) in section(payload).map(elementary_streams).unwrap_or_default() {
                streams.insert(pid, kind);
            }
        } else if streams.contains_key(&pid) {
            payloads.entry(pid).or_default().extend_from_slice(payload);
        }
    }
    let mut sorted: Vec<_> = streams.into_iter().collect();
    sorted.sort_unstable();
    let tracks = sorted.into_iter().filter_map(|(pid, kind)| {
        let bytes = payloads.get(&pid).map_or(&[][..], Vec::as_slice);
        let plain = |picture, codec: &str| {
            Some(Track { picture, codec: codec.to_owned(), size: None, still: false })
        };
        match kind {
            0x1B => Some(h264(bytes)),
            0x24 => plain(true, "hvc1"),
            0x01 | 0x02 => plain(true, "mp2v"),
            0x10 => plain(true, "mp4v"),
            0xEA => plain(true, "vc-1"),
            0x0F | 0x11 => plain(false, &aac_codec(bytes)),
            0x03 | 0x04 => plain(false, mpeg_codec(bytes)),
            0x81 => plain(false, "ac-3"),
            0x87 => plain(false, "ec-3"),
            0x82 | 0x85 | 0x8A => plain(false, "dts"),
            0x06 => plain(false, private_codec(bytes)?),
            _ => None,
        }
    });
    Probe::of_tracks(&tracks.collect::<Vec<_>>())
}

fn h264(bytes: &[u8]) -> Track {
    let set = parameter_set(bytes);
    let codec = set.as_ref().map(|sps| sps.rfc6381().to_string().to_ascii_lowercase());
    let size = set.and_then(|sps| sps.pixel_dimensions().ok());
    Track { picture: true, codec: codec.unwrap_or_default(), size, still: false }
}

/// By the layer of the first frame.
fn mpeg_codec(bytes: &[u8]) -> &'static str {
    let layer = (0..bytes.len()).find_map(|at| frames::mpeg(&bytes[at..]).map(|f| f.layer));
    match layer {
        Some(1) => "mp4a.40.32",
        Some(2) => "mp4a.40.33",
        _ => "mp3",
    }
}

/// European television sends Dolby sound as private data; its first bytes tell it.
fn private_codec(bytes: &[u8]) -> Option<&'static str> {
    let elementary = bytes.get(9 + usize::from(*bytes.get(8)?)..)?;
    let is_dolby = bytes.get(3) == Some(&0xBD) && elementary.starts_with(&[0x0B, 0x77]);
    // Above 10 the version of the bit stream is that of Dolby Digital Plus.
    is_dolby.then(|| if elementary.get(5).is_some_and(|b| b >> 3 > 10) { "ec-3" } else { "ac-3" })
}

/// The first sequence parameter set: a NAL unit of type 7 behind a start code.
fn parameter_set(bytes: &[u8]) -> Option<SeqParameterSet> {
    let start = bytes.windows(4).position(|w| w[..3] == [0, 0, 1] && w[3] & 0x1F == 7)? + 3;
    let rest = &bytes[start..];
    let end = rest.windows(3).position(|w| w == [0, 0, 1] || w == [0, 0, 0]);
    let raw = decode_nal(&rest[..end.unwrap_or(rest.len())]).ok()?;
    SeqParameterSet::from_bits(BitReader::new(&*raw)).ok()
}

/// From the first ADTS header: object types are one more than its profile.
fn aac_codec(bytes: &[u8]) -> String {
    let header = bytes.windows(3).find(|w| w[0] == 0xFF && w[1] & 0xF6 == 0xF0);
    format!("mp4a.40.{}", header.map_or(2, |h| (h[2] >> 6) + 1))
}

fn payload(packet: &[u8]) -> Option<&[u8]> {
    let control = packet[3] >> 4 & 3;
    let start = match control {
        1 => 4,
        3 => 5 + usize::from(packet[4]),
        _ => return None,
    };
    packet.get(start..)
}

/// The body of a table section without header and checksum.
fn section(payload: &[u8]) -> Option<&[u8]> {
    let table = payload.get(1 + usize::from(*payload.first()?)..)?;
    let length = usize::from(u16::from_be_bytes([table.get(1)? & 0x0F, *table.get(2)?]));
    let end = (3 + length).min(table.len()).checked_sub(4)?;
    table.get(8..end)
}

fn program_map_pid(association: &[u8]) -> Option<u16> {
    association
        .chunks_exact(4)
        .find(|entry| entry[..2] != [0, 0])
        .map(|entry| u16::from_be_bytes([entry[2] & 0x1F, entry[3]]))
}

fn elementary_streams(map: &[u8]) -> Vec<(u16, u8)> {
    let twelve_bits =
        |at: usize| Some(usize::from(u16::from_be_bytes([map.get(at)? & 0x0F, *map.get(at + 1)?])));
    let mut streams = Vec::new();
    let Some(mut at) = twelve_bits(2).map(|info| 4 + info) else { return streams };
    while let (Some(&kind), Some(pid)) = (map.get(at), map.get(at + 1..at + 3)) {
        streams.push((u16::from_be_bytes([pid[0] & 0x1F, pid[1]]), kind));
        let Some(info) = twelve_bits(at + 3) else { break };
        at += 5 + info;
    }
    streams
}
