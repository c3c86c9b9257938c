#!/usr/bin/env bash
# Makes the channels that the browser tests watch: streams.sh DIR. Eight of six seconds, 360x640, 2 s segments, each with
# a coloured corner by which a test knows what is on the screen. Channels already there are kept.
set -euo pipefail

dir=${1:?which folder? streams.sh DIR}
corners=(red lime blue yellow magenta cyan white orange)
pictures=(
  "mandelbrot=s=360x640:r=24" "testsrc2=s=360x640:r=24" "smptehdbars=s=360x640:r=24" "gradients=s=360x640:r=24:seed=1"
  "rgbtestsrc=s=360x640:r=24" "cellauto=s=360x640:r=24:rule=110:seed=1" "testsrc=s=360x640:r=24" "gradients=s=360x640:r=24:seed=2"
)
mkdir -p "$dir"
for i in "${!corners[@]}"; do
  channel=$dir/clip_$i
  grep -qs ENDLIST "$channel/playlist.m3u8" && continue
  part=$dir/.tmp-clip_$i
  rm -rf "$part"
  mkdir "$part"
  ffmpeg -nostdin -v error -y -f lavfi -i "${pictures[i]}" -f lavfi -i "sine=frequency=$((220 + 55 * i)):sample_rate=48000" -t 6 \
    -vf "drawbox=0:0:iw/8:iw/8:color=${corners[i]}:t=fill,format=yuv420p" \
    -c:v libx264 -preset veryfast -b:v 400k -g 48 -keyint_min 48 -sc_threshold 0 -c:a aac -b:a 64k -ac 1 \
    -hls_time 2 -hls_list_size 0 -hls_flags independent_segments -f hls "$part/playlist.m3u8"
  rm -rf "$channel"
  mv "$part" "$channel"
done
