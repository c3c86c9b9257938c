#!/usr/bin/env bash
# Makes the channels that the browser tests watch: streams.sh DIR [RARE]. Eleven of six seconds, 360x640, 2 s segments, each with
# a coloured corner by which a test knows what is on the screen; then two seconds of music and a landscape one.
# RARE gets what few tests ask for: long, brief, square, with captions, in two qualities, with sound or captions in playlists of
# their own, with sound that ends early or begins late, with a hole in its clock, and one that Chromium cannot decode.
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

# Sound in playlists of its own, beside a picture that has none: two languages of it.
apart=sound_apart
grep -qs title "$dir/$apart/channel.toml" || {
  rm -rf "$dir/.tmp-$apart"
  mkdir -p "$dir/.tmp-$apart"
  ffmpeg -nostdin -v error -y -f lavfi -i "testsrc2=s=360x640:r=24" -f lavfi -i "sine=frequency=440:sample_rate=48000" \
    -f lavfi -i "sine=frequency=660:sample_rate=48000" -t 6 -map 0:v -map 1:a -map 2:a -vf "$(corner white)" "${video[@]}" "${audio[@]}" \
    -var_stream_map "v:0,agroup:sound,name:picture a:0,agroup:sound,name:en,language:en,default:yes a:1,agroup:sound,name:es,language:es" \
    -master_pl_name playlist.m3u8 "${hls[@]}" "$dir/.tmp-$apart/%v/playlist.m3u8"
  printf 'title = "Sound apart"\n' >"$dir/.tmp-$apart/channel.toml"
  rm -rf "${dir:?}/$apart"
  mv "$dir/.tmp-$apart" "$dir/$apart"
}

# Captions in playlists of their own: each line lasts two seconds. The picture's clock begins at 1.4 s, as ffmpeg has it.
apart=captions_apart
grep -qs title "$dir/$apart/channel.toml" || {
  part=$dir/.tmp-$apart
  rm -rf "$part"
  mkdir -p "$part/picture" "$part/en" "$part/es"
  ffmpeg -nostdin -v error -y -f lavfi -i "testsrc2=s=360x640:r=24" -f lavfi -i "sine=frequency=440:sample_rate=48000" \
    -t 6 -vf "$(corner white)" "${video[@]}" "${audio[@]}" "${hls[@]}" "$part/picture/playlist.m3u8"
  for line in en:line es:frase; do
    list=$'#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n'
    for n in 0 1 2; do
      printf 'WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:126000,LOCAL:00:00:00.000\n\n00:00:%02d.000 --> 00:00:%02d.000\n%s %s\n' \
        $((2 * n)) $((2 * n + 2)) "${line#*:}" $((n + 1)) >"$part/${line%:*}/$n.vtt"
      list+=$'#EXTINF:2.0,\n'$n$'.vtt\n'
    done
    printf '%s#EXT-X-ENDLIST\n' "$list" >"$part/${line%:*}/playlist.m3u8"
  done
  cat >"$part/playlist.m3u8" <<'LIST'
#EXTM3U
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="words",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,URI="en/playlist.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="words",NAME="Español",LANGUAGE="es",DEFAULT=NO,AUTOSELECT=YES,URI="es/playlist.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=550000,RESOLUTION=360x640,CODECS="avc1.64001e,mp4a.40.2",SUBTITLES="words"
picture/playlist.m3u8
LIST
  printf 'title = "Captions apart"\n' >"$part/channel.toml"
  rm -rf "${dir:?}/$apart"
  mv "$part" "$dir/$apart"
}

# Ten seconds whose sound ends after five.
make short_sound "Sound that ends early" -f lavfi -i "testsrc2=s=360x640:r=24" -f lavfi -i "sine=frequency=440:sample_rate=48000:d=5" \
  -t 10 -vf "$(corner white)" "${video[@]}" "${audio[@]}"

# Ten seconds whose first segment has no sound track at all, and whose clock jumps by three seconds in the middle.
for channel in late_sound hole; do
  grep -qs title "$dir/$channel/channel.toml" && continue
  part=$dir/.tmp-$channel
  rm -rf "$part"
  mkdir "$part"
  ffmpeg -nostdin -v error -y -f lavfi -i "testsrc2=s=360x640:r=24" -f lavfi -i "sine=frequency=440:sample_rate=48000" \
    -t 10 -vf "$(corner white)" "${video[@]}" "${audio[@]}" "${hls[@]}" "$part/playlist.m3u8"
  if [[ $channel == late_sound ]]; then
    ffmpeg -nostdin -v error -y -copyts -i "$part/playlist0.ts" -map 0:v -c copy -muxdelay 0 -muxpreload 0 -f mpegts "$part/x.ts"
    mv "$part/x.ts" "$part/playlist0.ts"
  else
    for n in 3 4; do
      ffmpeg -nostdin -v error -y -copyts -i "$part/playlist$n.ts" -c copy -output_ts_offset 3 -muxdelay 0 -muxpreload 0 -f mpegts "$part/x.ts"
      mv "$part/x.ts" "$part/playlist$n.ts"
    done
  fi
  printf 'title = "%s"\n' "$channel" >"$part/channel.toml"
  rm -rf "${dir:?}/$channel"
  mv "$part" "$dir/$channel"
done

# HEVC 4:2:2 in ten bits: no Chromium has a decoder for it.
[[ -s $dir/foreign.mp4 ]] || {
  ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=s=360x640:r=24 -t 3 -vf format=yuv422p10le -c:v libx265 -x265-params log-level=none \
    -tag:v hvc1 -movflags +faststart "$dir/.tmp-foreign.mp4"
  mv "$dir/.tmp-foreign.mp4" "$dir/foreign.mp4"
}
