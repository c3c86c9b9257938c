//! ThumbHash: twenty-odd bytes that stand for a picture until it comes. Decoded in the page into a tiny
//! picture, which is also the light that the picture throws into the room.
//!
//! The server hashes with the crate `thumbhash`; the page decodes by itself, because the crate brings
//! cosines that the browser has already. Posters are opaque: alpha is passed over.

use std::f64::consts::PI;

use js_sys::{Function, Math};
use leptos::prelude::{document, window};
use wasm_bindgen::{Clamped, JsCast};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

use crate::dom::{get, within};

/// The longer side of what is decoded, in pixels.
const SIDE: f64 = 32.0;

/// The picture of a ThumbHash in base64, as a data address.
pub(crate) fn picture(hash: &str) -> Option<String> {
    let bytes = window().atob(hash).ok()?;
    let bytes: Vec<u8> = bytes.chars().map(|c| c as u8).collect();
    let (width, rgba) = decode(&bytes, Math::cos)?;
    let height = u32::try_from(rgba.len()).ok()? / 4 / width;
    let canvas: HtmlCanvasElement = document().create_element("canvas").ok()?.dyn_into().ok()?;
    canvas.set_width(width);
    canvas.set_height(height);
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    let data = ImageData::new_with_u8_clamped_array_and_sh(Clamped(&rgba), width, height).ok()?;
    context.put_image_data(&data, 0.0, 0.0).ok()?;
    let write: Function = get(&canvas, "toDataURL").dyn_into().ok()?;
    write.call0(&canvas).ok()?.as_string()
}

/// One channel of a ThumbHash: its mean, and the factors of its cosines.
struct Channel {
    mean: f64,
    nx: usize,
    ny: usize,
    factors: Vec<f64>,
}

impl Channel {
    /// Its value where the cosines are `fx` and `fy`.
    fn at(&self, fx: &[f64], fy: &[f64]) -> f64 {
        let waves = waves(self.nx, self.ny).zip(&self.factors);
        waves.fold(self.mean, |sum, ((cx, cy), factor)| match (fx.get(cx), fy.get(cy)) {
            (Some(x), Some(y)) => sum + factor * x * y * 2.0,
            _ => sum,
        })
    }
}

/// The waves of a channel, the mean left out.
fn waves(nx: usize, ny: usize) -> impl Iterator<Item = (usize, usize)> {
    let row = move |cy: usize| (usize::from(cy == 0)..nx).map(move |cx| (cx, cy));
    (0..ny).flat_map(row).filter(move |(cx, cy)| cx * ny < nx * (ny - cy))
}

/// Width and pixels (RGBA) of a ThumbHash; `None` where it is none.
fn decode(hash: &[u8], cos: impl Fn(f64) -> f64) -> Option<(u32, Vec<u8>)> {
    let (head, mut rest) = hash.split_at_checked(5)?;
    let bits = head.iter().rev().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    let part = |from: u32, count: u32| (bits >> from & ((1 << count) - 1)) as f64;
    let (alpha, landscape) = (part(23, 1) > 0.0, part(39, 1) > 0.0);
    let (most, least) = (if alpha { 5 } else { 7 }, part(24, 3) as usize);
    let (lx, ly) = if landscape { (most, least) } else { (least, most) };
    if alpha {
        rest = rest.get(1..)?;
    }
    let mut nibbles = rest.iter().flat_map(|byte| [byte & 15, byte >> 4]);
    let mut channel = |mean: f64, nx: usize, ny: usize, scale: f64| {
        let factor = |nibble: u8| (f64::from(nibble) / 7.5 - 1.0) * scale;
        let factors: Vec<_> = waves(nx, ny).map_while(|_| nibbles.next()).map(factor).collect();
        Channel { mean, nx, ny, factors }
    };
    let l = channel(part(0, 6) / 63.0, lx.max(3), ly.max(3), part(18, 5) / 31.0);
    // Saturation is raised a little against what the rounding has taken.
    let p = channel(part(6, 6) / 31.5 - 1.0, 3, 3, part(27, 6) / 63.0 * 1.25);
    let q = channel(part(12, 6) / 31.5 - 1.0, 3, 3, part(33, 6) / 63.0 * 1.25);
    if least == 0 {
        return None;
    }
    let ratio = lx as f64 / ly as f64;
    let (width, height) =
        if ratio > 1.0 { (SIDE, (SIDE / ratio).round()) } else { ((SIDE * ratio).round(), SIDE) };
    let cosines = |at: f64, of: f64| -> Vec<f64> {
        (0..7).map(|n| cos(PI / of * (at + 0.5) * f64::from(n))).collect()
    };
    let columns: Vec<_> = (0..width as u32).map(|x| cosines(f64::from(x), width)).collect();
    let mut rgba = Vec::new();
    for y in 0..height as u32 {
        let fy = cosines(f64::from(y), height);
        for fx in &columns {
            let (l, p, q) = (l.at(fx, &fy), p.at(fx, &fy), q.at(fx, &fy));
            let blue = l - 2.0 / 3.0 * p;
            let red = (3.0 * l - blue + q) / 2.0;
            for colour in [red, red - q, blue, 1.0] {
                rgba.push((within(colour, 0.0, 1.0) * 255.0) as u8);
            }
        }
    }
    Some((width as u32, rgba))
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn it_decodes_what_the_reference_decodes() {
        let (mut landscape, mut portrait) = (Vec::new(), Vec::new());
        for n in 0..60u32 * 100 {
            let (x, y) = (n % 100, n / 100);
            landscape.extend([(x * 2) as u8, (y * 4) as u8, 90, 255]);
            portrait.extend([30, (n / 24) as u8, (n % 60 * 4) as u8, 255]);
        }
        for hash in [
            thumbhash::rgba_to_thumb_hash(100, 60, &landscape),
            thumbhash::rgba_to_thumb_hash(60, 100, &portrait),
        ] {
            let Ok((width, _, theirs)) = thumbhash::thumb_hash_to_rgba(&hash) else {
                panic!("no hash")
            };
            let Some((ours_width, ours)) = decode(&hash, f64::cos) else { panic!("not decoded") };
            assert_eq!((ours_width as usize, ours.len()), (width, theirs.len()));
            let worst = ours.iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(worst <= Some(1), "{worst:?}");
        }
        assert_eq!(decode(&[1, 2, 3], f64::cos), None);
        assert_eq!(decode(&[0; 5], f64::cos).map(|(width, _)| width), None);
    }
}
