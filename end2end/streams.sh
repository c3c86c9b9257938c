#!/usr/bin/env bash
# Makes the channels that the browser tests watch: streams.sh DIR. Eleven of six seconds, 360x640, 2 s segments, each with
# a coloured corner by which a test knows what is on the screen; then two seconds of music and a landscape one.
# Channels already there are kept.
set -euo pipefail

dir=${1:?which folder? streams.sh DIR}
corners=(red lime blue yellow magenta cyan white orange "#8000ff" "#808080" "#008000")
pictures=(
  "mandelbrot=s=360x640:r=24" "testsrc2=s=360x640:r=24" "smptehdbars=s=360x640:r=24" "gradients=s=360x640:r=24:seed=1"
  "rgbtestsrc=s=360x640:r=24" "cellauto=s=360x640:r=24:rule=110:seed=1" "testsrc=s=360x640:r=24" "gradients=s=360x640:r=24:seed=2"
  "gradients=s=360x640:r=24:seed=3" "testsrc2=s=360x640:r=24" "gradients=s=360x640:r=24:seed=4"
)
hls=(-hls_time 2 -hls_list_size 0 -hls_flags independent_segments -f hls)
mkdir -p "$dir"

# make NAME TITLE ARGUMENTS…: a channel from what ffmpeg reads and filters, complete or not there at all.
make() {
  local channel=$dir/$1 part=$dir/.tmp-$1 title=$2
  shift 2
  grep -qs ENDLIST "$channel/playlist.m3u8" && grep -qs title "$channel/channel.toml" && return
  rm -rf "$part"
  mkdir "$part"
  ffmpeg -nostdin -v error -y "$@" "${hls[@]}" "$part/playlist.m3u8"
  printf 'title = "%s"\ndescription = "Made for a test."\ntags = ["test"]\n' "$title" >"$part/channel.toml"
  [[ "$*" == *libx264* ]] && ffmpeg -nostdin -v error -y -i "$part/playlist.m3u8" -frames:v 1 -q:v 4 "$part/poster.jpg"
  rm -rf "$channel"
  mv "$part" "$channel"
}

video=(-c:v libx264 -preset veryfast -b:v 400k -g 48 -keyint_min 48 -sc_threshold 0)
audio=(-c:a aac -b:a 64k -ac 1)
corner() { echo "drawbox=0:0:iw/8:iw/8:color=$1:t=fill,format=yuv420p"; }
for i in "${!corners[@]}"; do
  make "clip_$i" "Test reel $i" -f lavfi -i "${pictures[i]}" -f lavfi -i "sine=frequency=$((220 + 55 * i)):sample_rate=48000" \
    -t 6 -vf "$(corner "${corners[i]}")" "${video[@]}" "${audio[@]}"
done
make tone "A short tone" -f lavfi -i "sine=frequency=330:sample_rate=48000" -t 2 "${audio[@]}"
make wide "A wide picture" -f lavfi -i "testsrc2=s=640x360:r=24" -f lavfi -i "sine=frequency=440:sample_rate=48000" \
  -t 6 -vf "$(corner red)" "${video[@]}" "${audio[@]}"
