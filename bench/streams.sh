#!/usr/bin/env bash
# Makes the channels that are swiped through: streams.sh DIR. Sixteen by the plain HLS command of ffmpeg, one segment of 10 s at
# about 1.5 Mb/s, each with a coloured corner by which the page's picture is known. Channels already there are kept.
set -euo pipefail

dir=${1:?which folder? streams.sh DIR}
corners=(red lime blue yellow magenta cyan)
pictures=(testsrc2=s=720x1280:r=30 smptehdbars=s=720x1280:r=30 testsrc=s=720x1280:r=30 rgbtestsrc=s=720x1280:r=30)
mkdir -p "$dir"
for i in {0..15}; do
  channel=$dir/reel_$i part=$dir/.tmp-reel_$i
  grep -qs ENDLIST "$channel/playlist.m3u8" && continue
  rm -rf "$channel" "$part"
  mkdir "$part"
  ffmpeg -nostdin -v error -f lavfi -i "${pictures[i % 4]}" -f lavfi -i "sine=frequency=$((220 + 20 * i)):sample_rate=48000" -t 10 \
    -vf "noise=alls=8:allf=t,drawbox=0:0:iw/8:iw/8:color=${corners[i % 6]}:t=fill,format=yuv420p" \
    -c:v libx264 -preset ultrafast -b:v 1500k -c:a aac -b:a 128k -hls_time 10 -hls_list_size 0 -f hls "$part/playlist.m3u8"
  mv "$part" "$channel"
done
