//! What a channel is judged by: of a master playlist the best variant that plays.

use std::cmp::Reverse;

use super::{Child, Loaded, Reading};
use crate::{
    catalog::{problem::Problem, remark::Remark},
    hls::playlist::{Playlist, Variant},
    probe::{Container, Inspected, Probe, WEB_PAGE, reach_of},
    sources::probe_cache::{self, ProbeCache},
};

/// Variants of which a playlist says too little and that are looked into, at most.
const LOOKED_INTO: usize = 4;

impl Reading<'_> {
    /// What is played of the channel. `samples` are files of its media playlists to look into, in
    /// their order.
    pub(super) fn judge(
        &mut self,
        main: &Loaded,
        children: &[Child],
        samples: &[Option<String>],
        live: bool,
        probed: &mut Option<ProbeCache>,
    ) -> Result<Probe, Problem> {
        if !main.playlist.master {
            let sample = samples.first().and_then(Option::as_deref);
            return Ok(self.sampled(&main.path, sample, live, probed)?.unwrap_or_default());
        }
        let (mut best, mut left) = (None, LOOKED_INTO);
        for at in ranked(&main.playlist) {
            let variant = &main.playlist.variants[at];
            let names =
                |child: &Child| child.references.iter().any(|(n, _)| *n == variant.reference);
            let sampled =
                match children.iter().position(names).filter(|_| left > 0 && !says(variant)) {
                    Some(child) => {
                        left -= 1;
                        let sample = samples.get(child).and_then(Option::as_deref);
                        self.sampled(&children[child].loaded.path, sample, live, probed)?
                    }
                    None => None,
                };
            let told = Probe::of_variant(variant);
            let probe = match (sampled, told) {
                (Some(sampled), told) => {
                    let told = told.unwrap_or_default();
                    let (width, height) = (told.width, told.height);
                    Some(Probe {
                        width: width.or(sampled.width),
                        height: height.or(sampled.height),
                        ..sampled
                    })
                }
                (None, told) => told,
            };
            let Some(probe) = probe else { continue };
            if probe.trouble.is_none() {
                return Ok(probe);
            }
            best = best.or(Some(probe));
        }
        if let Some(best) = best {
            return Ok(best);
        }
        let first = children
            .iter()
            .zip(samples)
            .find_map(|(child, sample)| Some((&child.loaded.path, sample.as_deref()?)));
        let Some((of, sample)) = first else { return Ok(Probe::default()) };
        Ok(self.sampled(of, Some(sample), live, probed)?.unwrap_or_default())
    }

    /// What is inside the file `sample` of the playlist `of`.
    fn sampled(
        &mut self,
        of: &str,
        sample: Option<&str>,
        live: bool,
        probed: &mut Option<ProbeCache>,
    ) -> Result<Option<Probe>, Problem> {
        let Some(path) = sample else { return Ok(None) };
        let stamp = self.files.stat(path)?;
        let inspected = probe_cache::cached(self.files, (of, path), stamp, live, false, probed)?;
        match inspected {
            Some(inspected) if inspected.container == Some(Container::GZIP) => {
                Err(Problem::Packed(path.to_owned()))
            }
            // A picture may stand before the media, and what nobody knows may be a form of tomorrow.
            Some(Inspected { container: Some(Container::NoMedia(is @ WEB_PAGE)), .. }) => {
                self.remarks.push(Remark::NoMedia(is));
                Ok(None)
            }
            inspected => Ok(inspected.and_then(|inspected| inspected.probe)),
        }
    }
}

/// The best variant that plays, as far as the playlist says what plays.
pub(crate) fn best_variant(master: &Playlist) -> Option<usize> {
    ranked(master).into_iter().next()
}

/// The variants, the best that plays first.
fn ranked(master: &Playlist) -> Vec<usize> {
    let size = |v: &Variant| v.resolution.map_or(0, |(w, h)| u64::from(w) * u64::from(h));
    let mut order: Vec<usize> = (0..master.variants.len()).collect();
    order.sort_by_key(|at| {
        let variant = &master.variants[*at];
        (reach_of(variant), Reverse(size(variant)), Reverse(variant.bandwidth))
    });
    order
}

fn says(variant: &Variant) -> bool {
    variant.codecs.as_deref().is_some_and(|codecs| !codecs.trim().is_empty())
}
