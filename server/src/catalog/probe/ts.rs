//! MPEG transport streams (ISO/IEC 13818-1): the program tables and the first H.264 parameter set.

use std::{collections::HashMap, io::Read};

use app::catalog::Kind;
use h264_reader::{
    nal::sps::SeqParameterSet,
    rbsp::{BitReader, decode_nal},
};

use super::Probe;

const PACKET: usize = 188;
/// How much of the start is looked at, in bytes.
const LOOKED_AT: u64 = 1024 * PACKET as u64;

/// Reads the start of a transport stream.
pub(super) fn read(file: impl Read) -> Option<Probe> {
    let mut bytes = Vec::new();
    file.take(LOOKED_AT).read_to_end(&mut bytes).ok()?;
    let mut tables = None;
    let mut streams: HashMap<u16, u8> = HashMap::new();
    let mut payloads: HashMap<u16, Vec<u8>> = HashMap::new();
    for packet in bytes.chunks_exact(PACKET).filter(|packet| packet[0] == 0x47) {
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
    let mut probe = Probe::default();
    let mut sorted: Vec<_> = streams.into_iter().collect();
    sorted.sort_unstable();
    for (pid, kind) in sorted {
        let bytes = payloads.get(&pid).map_or(&[][..], Vec::as_slice);
        match kind {
            0x1B => h264(bytes, &mut probe),
            0x24 => video("hvc1", &mut probe),
            0x01 | 0x02 => video("mp2v", &mut probe),
            0x10 => video("mp4v", &mut probe),
            0x0F | 0x11 => audio(&aac_codec(bytes), &mut probe),
            0x03 | 0x04 => audio("mp3", &mut probe),
            0x81 => audio("ac-3", &mut probe),
            0x87 => audio("ec-3", &mut probe),
            _ => {}
        }
    }
    probe.kind.is_some().then_some(probe)
}

fn video(codec: &str, probe: &mut Probe) {
    if probe.kind != Some(Kind::Video) {
        probe.kind = Some(Kind::Video);
        probe.codecs.insert(0, codec.to_owned());
    }
}

fn audio(codec: &str, probe: &mut Probe) {
    probe.kind.get_or_insert(Kind::Audio);
    if !probe.codecs.iter().any(|known| known == codec) {
        probe.codecs.push(codec.to_owned());
    }
}

fn h264(bytes: &[u8], probe: &mut Probe) {
    let Some(sps) = parameter_set(bytes) else {
        probe.kind = Some(Kind::Video);
        return;
    };
    video(&sps.rfc6381().to_string().to_ascii_lowercase(), probe);
    (probe.width, probe.height) = sps.pixel_dimensions().ok().unzip();
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
