#!/usr/bin/env bash
# Makes the channels that the browser tests watch: streams.sh DIR [RARE]. Eleven of six seconds, 360x640, 2 s segments, each with
# a coloured corner by which a test knows what is on the screen; then two seconds of music and a landscape one.
# RARE gets what few tests ask for: long, brief, square, with captions, in two qualities, and one that Chromium cannot decode.
# Channels already there are kept.
set -euo pipefail

dir=${1:?which folder? streams.sh DIR [RARE]}
rare=${2:-}
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

[[ -n $rare ]] || exit 0
dir=$rare
mkdir -p "$dir"

# film NAME TITLE SECONDS SIZE: a picture and a sound of that length.
film() {
  make "$1" "$2" -f lavfi -i "testsrc2=s=$4:r=24" -f lavfi -i "sine=frequency=440:sample_rate=48000" \
    -t "$3" -vf "$(corner white)" "${video[@]}" "${audio[@]}"
}
film long "A long reel" 90 180x320
film brief "A brief reel" 1.5 360x640
film square "A square picture" 6 480x480

# The second has a line of its own, so that a test knows which one speaks.
for i in 1 2; do
  film "said_$i" "With captions $i" 6 360x640
  for line in en:line es:frase; do
    printf 'WEBVTT\n\n00:00.000 --> 00:06.000\n%s %s\n' "${line#*:}" "$i" >"$dir/said_$i/${line%:*}.vtt"
  done
done

# ladder NAME TITLE SMALL LARGE: two qualities below one playlist.
ladder() {
  local channel=$dir/$1 part=$dir/.tmp-$1
  grep -qs title "$channel/channel.toml" && return
  rm -rf "$part"
  mkdir -p "$part/low" "$part/high"
  local rung
  for rung in "low $3 200k" "high $4 600k"; do
    read -r rung size rate <<<"$rung"
    ffmpeg -nostdin -v error -y -f lavfi -i "testsrc2=s=$size:r=24" -f lavfi -i "sine=frequency=440:sample_rate=48000" \
      -t 12 "${video[@]}" -b:v "$rate" "${audio[@]}" "${hls[@]}" "$part/$rung/playlist.m3u8"
  done
  printf '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=%s,RESOLUTION=%s\n%s/playlist.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=%s,RESOLUTION=%s\n%s/playlist.m3u8\n' \
    350000 "$3" low 850000 "$4" high >"$part/playlist.m3u8"
  printf 'title = "%s"\n' "$2" >"$part/channel.toml"
  rm -rf "$channel"
  mv "$part" "$channel"
}
ladder ladder_1 "Two qualities" 640x360 1280x720
ladder ladder_2 "Two qualities again" 640x360 1280x720
ladder ladder_3 "Two qualities upright" 360x640 720x1280

# HEVC 4:2:2 in ten bits: no Chromium has a decoder for it.
[[ -s $dir/foreign.mp4 ]] || {
  ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=s=360x640:r=24 -t 3 -vf format=yuv422p10le -c:v libx265 -x265-params log-level=none \
    -tag:v hvc1 -movflags +faststart "$dir/.tmp-foreign.mp4"
  mv "$dir/.tmp-foreign.mp4" "$dir/foreign.mp4"
}
