//! The words that ffmpeg is told: how a picture and a sound are made, and the segments of both.

/// Seconds of a segment: 125 kB before the first picture at the low profile.
const SEGMENT_S: u32 = 2;

/// The shortest time that a picture is held for, about one of the usual rates; in seconds.
const HELD_MIN_S: f64 = 0.04;

/// What is done with the picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Picturing {
    Copied {
        hevc: bool,
    },
    Encoded {
        size: (u32, u32),
        /// The most that it may cost; without one the quality is bound alone.
        kbps: Option<u32>,
        deinterlace: bool,
        /// Pictures a second, where the file is wrong about them.
        rate: Option<f64>,
        /// Seconds for which the last picture stays.
        hold_s: f64,
    },
}

/// What is done with the sound.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Sounding {
    Copied,
    Encoded {
        kbps: u32,
        /// Silence follows it up to here.
        until_s: Option<f64>,
    },
}

/// Arguments that grow from the front.
#[derive(Default)]
pub(super) struct Arguments(pub(super) Vec<String>);

impl Arguments {
    pub(super) fn put<const N: usize>(&mut self, arguments: [&str; N]) {
        self.0.extend(arguments.map(str::to_owned));
    }

    /// What makes the picture.
    pub(super) fn picture(&mut self, picture: &Picturing) {
        let (size, kbps, deinterlace, rate, hold_s) = match picture {
            Picturing::Copied { hevc } => {
                self.put(["-c:v", "copy"]);
                if *hevc {
                    self.put(["-tag:v", "hvc1"]);
                }
                return;
            }
            Picturing::Encoded { size, kbps, deinterlace, rate, hold_s } => {
                (size, kbps, deinterlace, rate, hold_s)
            }
        };
        let mut filters = Vec::new();
        if *deinterlace {
            filters.push("yadif=deint=interlaced".to_owned());
        }
        if let Some(rate) = rate {
            filters.push(format!("fps={rate}:start_time=0"));
        }
        let (width, height) = size;
        filters.push(format!("scale={width}:{height}:flags=bicubic,setsar=1"));
        if *hold_s > HELD_MIN_S {
            // A little less, so that no picture follows that begins after the end of the sound.
            let hold_s = hold_s - HELD_MIN_S / 2.0;
            filters.push(format!("tpad=stop_mode=clone:stop_duration={hold_s:.6}"));
        }
        self.put(["-vf", &filters.join(","), "-c:v", "libx264", "-preset", "veryfast"]);
        let quality = if kbps.is_some() { "22" } else { "18" };
        self.put(["-pix_fmt", "yuv420p", "-profile:v", "high", "-crf", quality]);
        if let Some(kbps) = kbps {
            // The rate is a bound, not an aim: what is simple costs less.
            self.put(["-maxrate", &format!("{kbps}k"), "-bufsize", &format!("{kbps}k")]);
        }
        let frames = format!("expr:gte(t,n_forced*{SEGMENT_S})");
        self.put(["-force_key_frames", &frames, "-sc_threshold", "0"]);
        self.put(["-flags", "+cgop"]);
    }

    /// What makes the sound; without an end of its own, `endless`, where another track has one.
    pub(super) fn sound(&mut self, sound: &Sounding, beside_picture: bool, endless: bool) {
        let Sounding::Encoded { kbps, until_s } = sound else {
            self.put(["-c:a", "copy"]);
            return;
        };
        self.put(["-c:a", "aac", "-b:a", &format!("{kbps}k")]);
        self.put(["-ac", "2", "-ar", "48000"]);
        if beside_picture {
            // Silence stands where there is no sound: before it, in its pauses and behind it.
            let behind = match until_s {
                _ if endless => ",apad".to_owned(),
                Some(until_s) => format!(",apad=whole_dur={until_s:.6}"),
                None => String::new(),
            };
            self.put(["-af", &format!("aresample=async=1:first_pts=0{behind}")]);
        }
    }

    /// What makes the segments and their playlist.
    pub(super) fn segments(&mut self) {
        let seconds = SEGMENT_S.to_string();
        self.put(["-f", "hls", "-hls_time", &seconds, "-hls_list_size", "0"]);
        self.put(["-hls_playlist_type", "vod", "-hls_flags", "independent_segments"]);
        self.put(["-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "init.mp4"]);
        self.put(["-hls_segment_filename", "segment%05d.m4s", "playlist.m3u8"]);
    }
}
