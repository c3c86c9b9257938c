//! How loud a piece of music is over time, in the form of audiowaveform's JSON, version 2: the
//! least and the greatest sample of each stretch.

use serde_json::json;

/// Stretches a second to begin with.
const PIXELS_PER_SECOND: u32 = 8;
/// When there are so many, every two become one: ten minutes have full detail.
const PIXELS_MAX: usize = 4_800;

/// Listens to samples and keeps a bounded number of stretches, however long they go on.
#[derive(Debug)]
pub(super) struct Waveform {
    pixels: Vec<(i16, i16)>,
    samples_per_pixel: u32,
    /// The stretch in the making, and the samples in it.
    current: (i16, i16),
    count: u32,
    /// The first half of a sample that a piece cut in two.
    half: Option<u8>,
}

impl Waveform {
    pub(super) fn new(sample_rate: u32) -> Self {
        Self {
            pixels: Vec::new(),
            samples_per_pixel: sample_rate / PIXELS_PER_SECOND,
            current: SILENT,
            count: 0,
            half: None,
        }
    }

    /// Hears signed 16-bit samples, least byte first, in pieces of any length.
    pub(super) fn hear(&mut self, mut bytes: &[u8]) {
        if let (Some(low), [high, rest @ ..]) = (self.half, bytes) {
            self.sample(i16::from_le_bytes([low, *high]));
            self.half = None;
            bytes = rest;
        }
        let (samples, rest) = bytes.as_chunks();
        for sample in samples {
            self.sample(i16::from_le_bytes(*sample));
        }
        if let [low] = rest {
            self.half = Some(*low);
        }
    }

    fn sample(&mut self, sample: i16) {
        self.current = join(self.current, (sample, sample));
        self.count += 1;
        if self.count >= self.samples_per_pixel {
            self.close();
        }
    }

    fn close(&mut self) {
        self.pixels.push(self.current);
        self.current = SILENT;
        self.count = 0;
        if self.pixels.len() >= PIXELS_MAX {
            let pairs = self.pixels.chunks(2);
            self.pixels = pairs.map(|pair| pair.iter().copied().fold(SILENT, join)).collect();
            self.samples_per_pixel = self.samples_per_pixel.saturating_mul(2);
        }
    }

    /// The text; `None` where nothing was heard.
    pub(super) fn finish(mut self, sample_rate: u32) -> Option<String> {
        if self.count > 0 {
            self.close();
        }
        if self.pixels.is_empty() {
            return None;
        }
        // As many bits as a bar on a screen can show.
        let data: Vec<i16> =
            self.pixels.iter().flat_map(|(least, most)| [least >> 8, most >> 8]).collect();
        let waveform = json!({
            "version": 2,
            "channels": 1,
            "sample_rate": sample_rate,
            "samples_per_pixel": self.samples_per_pixel,
            "bits": 8,
            "length": self.pixels.len(),
            "data": data,
        });
        Some(waveform.to_string())
    }
}

/// Neither above nor below anything.
const SILENT: (i16, i16) = (i16::MAX, i16::MIN);

fn join(a: (i16, i16), b: (i16, i16)) -> (i16, i16) {
    (a.0.min(b.0), a.1.max(b.1))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{PIXELS_MAX, Waveform};

    const RATE: u32 = 8_000;

    fn told(samples: impl Iterator<Item = i16>, piece: usize) -> Option<Value> {
        let bytes: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
        let mut waveform = Waveform::new(RATE);
        for piece in bytes.chunks(piece) {
            waveform.hear(piece);
        }
        let text = waveform.finish(RATE)?;
        Some(serde_json::from_str(&text).expect("JSON"))
    }

    #[test]
    fn each_stretch_keeps_its_least_and_greatest() {
        let samples = || (0..2_500).map(|n| if n < 1_000 { 0x4000 } else { -0x4000 });
        for piece in [1, 2, 3, 4_096] {
            let told = told(samples(), piece).expect("something");
            assert_eq!(told["version"], 2);
            assert_eq!(told["samples_per_pixel"], 1_000);
            assert_eq!(told["length"], 3);
            assert_eq!(told["data"], serde_json::json!([64, 64, -64, -64, -64, -64]), "{piece}");
        }
        assert_eq!(told(std::iter::empty(), 1), None);
    }

    #[test]
    fn an_hour_is_as_long_as_ten_minutes() {
        let told = told((0..3600 * RATE).map(|n| (n % 300) as i16), 64 * 1024).expect("something");
        let length = told["length"].as_u64().expect("a number") as usize;
        assert!((PIXELS_MAX / 2..=PIXELS_MAX).contains(&length), "{length}");
        assert_eq!(told["samples_per_pixel"], 8_000);
        assert_eq!(told["data"].as_array().map(Vec::len), Some(2 * length));
    }
}
