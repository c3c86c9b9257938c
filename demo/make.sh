#!/usr/bin/env bash
# Remakes the demo channels in streams/ from the painted stills of demo/stills/, with ffmpeg alone.
#
#   demo/make.sh                 the channels that are missing
#   demo/make.sh playa cumbia    only these
#   demo/make.sh --force [id…]   again, even if they are there
# The options that functions print hold no spaces but those between them.
# shellcheck disable=SC2046
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
stills=$here/stills
out=$(dirname "$here")/streams
all=(playa nieve fiesta bosque piscina cumbia ciudad vidriera)
limit=$((12 * 1000 * 1000))
poster_limit=45000

fail() { echo "make.sh: $*" >&2; exit 1; }

ff() { nice ffmpeg -hide_banner -nostdin -loglevel error -y -filter_threads 1 -filter_complex_threads 1 "$@"; }

# --- pieces of filter graphs ---------------------------------------------------------------------

# A still picture, cropped to $1 (w:h:x:y), its grain taken away.
still() { printf 'crop=%s,format=yuv444p,hqdn3d=6:5:0:0' "$1"; }

# One frame held for $1 frames at 30 per second.
hold() { printf 'loop=%d:1,settb=1/30,setpts=N' "$(($1 - 1))"; }

# A grey map, drawn at size $1 for $2 frames with expression $3, enlarged to $4.
# In the expression T runs in seconds.
map() {
  printf "color=black:s=%s:r=30,trim=end_frame=%d,format=gray,geq=lum='%s',scale=%s:flags=bicubic,mergeplanes=0x000000:gbrp" \
    "$1" "$2" "$3" "$4"
}

# A hand-held camera for frames of $1x$2 that comes back after $3 frames: margin $4, zoom $5,
# sway $6 by $7 pixels, tilt $8 pixels. It moves by fractions of a pixel.
camera() {
  local w=$1 h=$2 p="2*PI*in/$3" mx my dx dy r
  mx="($4+$5*(1-cos($p))/2)*$w/2"
  my="($4+$5*(1-cos($p))/2)*$h/2"
  dx="$6*sin($p)" dy="$7*sin(2*$p)" r="$8*sin($p+0.6)"
  printf "perspective=eval=frame:interpolation=cubic:x0='%s':y0='%s':x1='%s':y1='%s':x2='%s':y2='%s':x3='%s':y3='%s'" \
    "$mx+$dx-$r" "$my+$dy-$r" "$w-$mx+$dx-$r" "$my+$dy+$r" \
    "$mx+$dx+$r" "$h-$my+$dy-$r" "$w-$mx+$dx+$r" "$h-$my+$dy+$r"
}

# Flecks drifting over a frame of $1x$2: density $3, softness $4, strength $5, frames $6,
# turns across $7 and down $8, seed $9.
flecks() {
  printf "color=black:s=%dx%d:r=30,trim=end_frame=1,format=gray16,geq=lum='65535*gt(random(%d),%s)',gblur=sigma=%s:steps=5,geq=lum='min(65535,lum(X,Y)*%s)',format=gray,%s,scroll=h=%s/%d:v=%s/%d,mergeplanes=0x000000:gbrp" \
    "$1" "$2" "$9" "$3" "$4" "$5" "$(hold "$6")" "$7" "$6" "$8" "$6"
}

finish='scale=out_color_matrix=bt709:out_range=tv:flags=bicubic,format=yuv420p,setsar=1'

# --- the channels: each sets its words, seconds, kind, quality, peak kb/s, loudness, graph (to [v]) and sound (to [a]) --------------

playa() {
  title="La cala, última hora" tags='"playa", "verano"' order=1
  description="El sol se va, el velero se queda."
  seconds=12 kind=fmp4 crf=25 rate=900 loud=9
  local n=360 w='2*PI*T/12'
  graph="
    [0:v]$(still 720:1340:0:60),split[s][b];
    [b]crop=112:128:212:484,format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='clip((64-(r(X,Y)+g(X,Y)+b(X,Y))/3)*7,0,255)*lt(Y,117)',scale=224:256:flags=lanczos,split[b1][b2];
    [s]delogo=x=214:y=484:w=106:h=118,scale=1440:2680:flags=lanczos,format=gbrp,split[s1][s2];
    [s1]crop=1440:1120:0:0,$(hold $n)[sky0];
    [b2]vflip,scale=224:150,colorchannelmixer=aa=0.55[shade];
    [s2]crop=1440:1560:0:1120[sea00];
    [sea00][shade]overlay=x=428:y=62:format=gbrp,format=gbrp,$(hold $n),split[sea0][sea1];
    $(map 180x140 $n '128+14*sin('"$w"'+Y*0.035+X*0.012)*(1-exp(-(pow((X-114)/34,2)+pow((Y-125)/40,2))))*clip((139-Y)/25,0,1)' 1440:1120)[cx];
    color=0x808080:s=1440x1120:r=30,trim=end_frame=$n,format=gbrp[cy];
    [sky0][cx][cy]displace=edge=smear[sky];
    $(map 180x195 $n '128+(2.2+Y*0.15)*(0.55*sin(19*log(Y+7)-5*'"$w"'+14*(X-110)/(Y+45))+0.45*sin(27*log(Y+9)+4*'"$w"'-9*(X-60)/(Y+30)))' 1440:1560),split[wx][wx2];
    $(map 180x195 $n '128+(1.4+Y*0.09)*(0.6*sin(24*log(Y+8)-6*'"$w"'+10*(X-90)/(Y+40))+0.4*sin(15*log(Y+12)-3*'"$w"'-12*(X-120)/(Y+50)))' 1440:1560),split[wy][wy2];
    [wx2]negate[wx3];[wy2]negate[wy3];
    [sea0][wx][wy]displace=edge=mirror[sea2];
    [sea1][wx3][wy3]displace=edge=mirror[sea3];
    [sea2][sea3]blend=all_expr='max(A,B)*0.6+min(A,B)*0.4':all_mode=lighten:all_opacity=0.6[sea];
    [sky][sea]vstack[scene];
    [b1]$(hold $n),pad=288:320:32:32:color=black@0,rotate=a='0.035*sin(2*PI*t/4)':c=none[boat];
    [scene][boat]overlay=x='392+10*sin(2*PI*t/12)':y='936+4*sin(2*PI*t/3)':format=gbrp,format=gbrp,scale=720:1340:flags=area[flat];
    [flat]format=yuv444p,$(camera 720 1340 $n 0.02 0.06 0 0 0),crop=720:1280:0:20,${finish}[v]"
  sound="
    anoisesrc=d=12:c=pink:r=48000:a=0.5:seed=11,highpass=f=90,lowpass=f=1400,volume='0.34+0.22*sin(2*PI*t/6-1)':eval=frame[l];
    anoisesrc=d=12:c=pink:r=48000:a=0.5:seed=12,highpass=f=90,lowpass=f=1400,volume='0.34+0.22*sin(2*PI*t/6-1.9)':eval=frame[r];
    anoisesrc=d=12:c=white:r=48000:a=0.5:seed=13,highpass=f=1500,lowpass=f=7000,volume='0.05*pow(max(0,sin(2*PI*t/6-1.6)),3)':eval=frame,aformat=channel_layouts=stereo[foam];
    [l][r]join=inputs=2:channel_layout=stereo[wash];[wash][foam]amix=inputs=2:normalize=0[a]"
}

nieve() {
  title="La cara norte, con la cámara en el casco" tags='"montaña", "nieve"' order=2
  description="Crampones, viento y nada más."
  seconds=12 kind=ts crf=28 rate=700 loud=4
  local n=360 w='2*PI*T/12'
  graph="
    [0:v]$(still 720:1360:0:110),scale=1440:2720:flags=lanczos,format=gbrp,$(hold $n)[s];
    $(map 90x170 $n '128+if(lt(Y,50),14*sin('"$w"'+X*0.03)*clip((50-Y)/20,0,1),(Y-50)*0.26*sin('"$w"')-(X-45)*(Y-50)*0.0044*(1-cos('"$w"')))' 1440:2720)[mx];
    $(map 90x170 $n '128-clip(Y-50,0,120)*0.22*(1-cos('"$w"'))+clip(Y-50,0,120)*0.06*sin(4*'"$w"')' 1440:2720)[my];
    [s][mx][my]displace=edge=smear,scale=720:1360:flags=area[base];
    $(flecks 720 1360 0.9997 1.2 8 $n -1 2 3)[f1];
    $(flecks 720 1360 0.99992 2.3 30 $n -2 4 5)[f2];
    [base][f1]blend=all_mode=screen[x1];
    [x1][f2]blend=all_mode=screen,format=yuv444p,$(camera 720 1360 $n 0.05 0.05 5 4 4),crop=720:1280:0:30,${finish}[v]"
  sound="
    anoisesrc=d=12:c=pink:r=48000:a=0.5:seed=21,bandpass=f=420:w=500,volume='7+3.6*sin(2*PI*t/12)+1.8*sin(2*PI*t/3+1)':eval=frame[l];
    anoisesrc=d=12:c=pink:r=48000:a=0.5:seed=22,bandpass=f=520:w=600,volume='7+3.6*sin(2*PI*t/12+0.8)+1.8*sin(2*PI*t/4)':eval=frame[r];
    aevalsrc='0.35*(random(0)-0.5)*exp(-22*mod(t\\,1.5))*(0.5+0.5*sin(2*PI*70*t))':d=12:s=48000,highpass=f=300,lowpass=f=4200,aformat=channel_layouts=stereo[steps];
    [l][r]join=inputs=2:channel_layout=stereo[wind];[wind][steps]amix=inputs=2:normalize=0[a]"
}

# The light of a lamp at column $1 of the small beam map, leaning $2 and sweeping $3 turns from $4.
beam() {
  printf 'exp(-pow((atan2(X-%s,Y-15)-(%s)-0.34*sin(%s*2*PI*T/12+%s))/0.055,2))' "$1" "$2" "$3" "$4"
}

fiesta() {
  title="La pista, las tres y pico" tags='"fiesta", "noche"' order=3
  description="Sube el volumen, que no hay vecinos."
  seconds=12 kind=ts crf=28 rate=690 loud=-2
  local n=360 fade='150*clip((232-Y)/50,0,1)*clip((Y-13)/12,0,1)*exp(-Y/210)*(0.62+0.38*sin(X*0.11+Y*0.07-T*PI)*sin(Y*0.09-X*0.05+T*PI*1.5))*(0.7+0.45*exp(-5*mod(T,0.5)))'
  local crowd='clip((Y-200)/30,0,1)'
  graph="
    [0:v]$(still 720:1320:0:0),scale=1440:2640:flags=lanczos,format=gbrp,$(hold $n)[s];
    $(map 180x330 $n '128+'"$crowd"'*5*sin(PI*T+X*0.05+Y*0.03)' 1440:2640)[mx];
    $(map 180x330 $n '128+'"$crowd"'*(6+(Y-200)*0.13)*(abs(sin(2*PI*T+0.9*sin(X*0.075+Y*0.045)))-0.3)' 1440:2640)[my];
    [s][mx][my]displace=edge=smear,scale=720:1320:flags=area[base];
    color=black:s=180x330:r=30,trim=end_frame=$n,format=gbrp,geq=
      r='$fade*($(beam 10 0.5 2 0)+$(beam 37 0.25 3 1)+0.7*$(beam 90 0 4 2))':
      g='$fade*(0.5*$(beam 10 0.5 2 0)+0.6*$(beam 140 -0.3 3 4))':
      b='$fade*(0.4*$(beam 37 0.25 3 1)+0.7*$(beam 90 0 4 2)+$(beam 140 -0.3 3 4)+$(beam 175 -0.55 2 3))',
      scale=720:1320:flags=bicubic,format=gbrp[beams];
    [base][beams]blend=all_mode=screen,format=yuv444p,hue=h='70*sin(2*PI*t/12)':b='0.3*exp(-6*mod(t,0.5))-0.15',$(camera 720 1320 $n 0.03 0.05 6 2 3),crop=720:1280:0:10,${finish}[v]"
  sound="
    aevalsrc='0.55*exp(-9*mod(t\\,0.5))*sin(2*PI*(48*mod(t\\,0.5)+5*(1-exp(-32*mod(t\\,0.5)))))':d=12:s=48000[kick];
    aevalsrc='st(0\\,mod(t\\,0.25));st(1\\,55*if(lt(mod(t\\,6)\\,3)\\,1\\,if(lt(mod(t\\,6)\\,4.5)\\,0.8909\\,1.3348)));0.22*gt(mod(t\\,0.5)\\,0.12)*min(1\\,ld(0)*90)*exp(-5*ld(0))*(sin(2*PI*ld(1)*t)+0.5*sin(4*PI*ld(1)*t)+0.25*sin(6*PI*ld(1)*t))':d=12:s=48000[bass];
    aevalsrc='0.09*(random(0)-0.5)*exp(-38*mod(t+0.25\\,0.5))|0.09*(random(1)-0.5)*exp(-38*mod(t+0.25\\,0.5))':d=12:s=48000,highpass=f=6000[hat];
    aevalsrc='st(2\\,if(lt(mod(t\\,6)\\,3)\\,1\\,if(lt(mod(t\\,6)\\,4.5)\\,0.8909\\,1.3348)));st(0\\,mod(t+0.25\\,0.5));0.05*min(1\\,ld(0)*60)*exp(-6*ld(0))*(sin(2*PI*220*ld(2)*t)+sin(2*PI*261.63*ld(2)*t)+sin(2*PI*329.63*ld(2)*t))|0.05*min(1\\,ld(0)*60)*exp(-6*ld(0))*(sin(2*PI*220*ld(2)*t+1)+sin(2*PI*261.63*ld(2)*t)+sin(2*PI*391.99*ld(2)*t))':d=12:s=48000,aecho=0.8:0.5:250|375:0.35|0.2,atrim=end=12[pad];
    [kick]aformat=channel_layouts=stereo[k2];[bass]aformat=channel_layouts=stereo[b2];
    [k2][b2][hat][pad]amix=inputs=4:normalize=0,lowpass=f=11000[a]"
}

bosque() {
  title="Niebla en el bosque" tags='"bosque", "calma"' order=4
  description="Sube sola, a las siete, y se va sin avisar."
  seconds=14 kind=fmp4 crf=26 rate=800 loud=12
  local n=420 w='2*PI*T/14'
  graph="
    [0:v]$(still 720:1360:0:200),split[s][d];
    [s]scale=1440:2720:flags=lanczos,format=gbrp,$(hold $n)[base0];
    [d]format=gray,scale=90:170:flags=area,gblur=sigma=1.5,$(hold $n),geq=lum='128+(34*pow(1-p(X,Y)/255,1.3)-6)*sin($w)',scale=1440:2720:flags=bicubic,mergeplanes=0x000000:gbrp[mx];
    color=0x808080:s=1440x2720:r=30,trim=end_frame=$n,format=gbrp[my];
    [base0][mx][my]displace=edge=smear,scale=720:1360:flags=area[base];
    $(map 90x170 $n '150*pow(clip(0.5+0.28*sin(X*2*PI/90*1-'"$w"'+1.3*sin(Y*0.06))+0.22*sin(X*2*PI/45-2*'"$w"'+Y*0.09+2*sin(Y*0.045+'"$w"'))+0.16*sin(X*2*PI/30+'"$w"'+Y*0.16),0,1),1.6)*exp(-pow((Y-62)/26,2))' 720:1360)[m1];
    $(map 90x170 $n '125*pow(clip(0.5+0.28*sin(X*2*PI/90+'"$w"'+1.7*sin(Y*0.05+1))+0.24*sin(X*2*PI/45+3*'"$w"'-Y*0.11+1.5*sin(Y*0.07-'"$w"'))+0.14*sin(X*2*PI/22-'"$w"'+Y*0.2),0,1),1.7)*exp(-pow((Y-112)/22,2))' 720:1360)[m2];
    [base][m1]blend=all_mode=screen[x1];
    [x1][m2]blend=all_mode=screen,format=yuv444p,$(camera 720 1360 $n 0.06 0.05 0 3 0),crop=720:1280:0:40,${finish}[v]"
  sound="
    anoisesrc=d=14:c=pink:r=48000:a=0.5:seed=41,highpass=f=200,lowpass=f=900,volume='0.16+0.06*sin(2*PI*t/7)':eval=frame[l];
    anoisesrc=d=14:c=pink:r=48000:a=0.5:seed=42,highpass=f=200,lowpass=f=900,volume='0.16+0.06*sin(2*PI*t/7+1)':eval=frame[r];
    aevalsrc='0.055*sin(2*PI*3100*t+26*sin(2*PI*9*t))*pow(max(0\\,sin(2*PI*4.5*t))\\,2)*between(mod(t\\,7)\\,1.1\\,2.0)+0.018*sin(2*PI*2300*t+60*sin(2*PI*3*t))*pow(max(0\\,sin(2*PI*3*t))\\,3)*between(t\\,8.3\\,9.7)|0.02*sin(2*PI*3100*t+26*sin(2*PI*9*t))*pow(max(0\\,sin(2*PI*4.5*t))\\,2)*between(mod(t\\,7)\\,1.1\\,2.0)+0.05*sin(2*PI*2300*t+60*sin(2*PI*3*t))*pow(max(0\\,sin(2*PI*3*t))\\,3)*between(t\\,4.3\\,5.7)':d=14:s=48000,aecho=0.8:0.6:90|210:0.3|0.2,atrim=end=14[birds];
    [l][r]join=inputs=2:channel_layout=stereo[air];[air][birds]amix=inputs=2:normalize=0[a]"
}

piscina() {
  title="Piscina municipal, calle tres" tags='"piscina", "verano"' order=5
  description="Cuarenta largos antes de que abran."
  seconds=10 kind=ts crf=28 rate=950 loud=11
  local n=300 w='2*PI*T/10'
  graph="
    [0:v]$(still 720:1320:0:120),scale=1440:2640:flags=lanczos,format=gbrp,split[s][c];
    [s]$(hold $n)[base0];
    [c]hflip,vflip,colorlevels=rimin=0.36:gimin=0.72:bimin=0.8,scale=1440:2640,format=gbrp,$(hold $n)[lines0];
    $(map 180x330 $n '128+13*(0.5*sin(Y*0.075+3*'"$w"'+1.6*sin(X*0.04-'"$w"'))+0.35*sin(Y*0.15-4*'"$w"'+X*0.06)+0.25*sin(X*0.11+2*'"$w"'))' 1440:2640),split[mx][mx2];
    $(map 180x330 $n '128+15*(0.5*sin(X*0.08-3*'"$w"'+1.6*sin(Y*0.035+'"$w"'))+0.35*sin(X*0.13+4*'"$w"'-Y*0.05)+0.25*sin(Y*0.1-2*'"$w"'))' 1440:2640),split[my][my2];
    [base0][mx][my]displace=edge=mirror,scale=720:1320:flags=area,format=gbrp[base];
    [lines0][my2][mx2]displace=edge=mirror,scale=720:1320:flags=area,format=gbrp[lines];
    [base][lines]blend=all_mode=screen:all_opacity=0.45,format=yuv444p,$(camera 720 1320 $n 0.04 0.04 4 6 2),crop=720:1280:0:20,${finish}[v]"
  sound="
    anoisesrc=d=10:c=pink:r=48000:a=0.5:seed=51,highpass=f=150,lowpass=f=700,volume='0.22+0.1*sin(2*PI*t/2.5)':eval=frame[l];
    anoisesrc=d=10:c=pink:r=48000:a=0.5:seed=52,highpass=f=150,lowpass=f=760,volume='0.22+0.1*sin(2*PI*t/2.5+1.5)':eval=frame[r];
    aevalsrc='0.07*sin(2*PI*(520*mod(t\\,1.25)+500*pow(mod(t\\,1.25)\\,2)))*exp(-26*mod(t\\,1.25))+0.05*sin(2*PI*(700*mod(t+0.4\\,2.5)+900*pow(mod(t+0.4\\,2.5)\\,2)))*exp(-34*mod(t+0.4\\,2.5))|0.05*sin(2*PI*(610*mod(t+0.7\\,1.25)+700*pow(mod(t+0.7\\,1.25)\\,2)))*exp(-30*mod(t+0.7\\,1.25))':d=10:s=48000,aecho=0.8:0.7:60|130|260:0.4|0.3|0.2,atrim=end=10[drops];
    [l][r]join=inputs=2:channel_layout=stereo[pool];[pool][drops]amix=inputs=2:normalize=0[a]"
}

ciudad() {
  title="La Gran Vía desde el taxi" tags='"ciudad", "noche"' order=7
  description="Ha llovido y todo brilla."
  seconds=12 kind=fmp4 crf=26 rate=760 loud=0
  local n=360
  graph="
    [0:v]$(still 720:405:0:330),scale=1280:720:flags=lanczos,format=gbrp,split[s1][s2];
    [s1]colorlevels=rimax=0.86:gimax=0.86:bimax=0.86,format=gbrp,$(hold $n)[l1];
    [s2]vflip,split[b1][b2];[b2]hflip[b3];[b3][b1]hstack,colorlevels=rimin=0.24:gimin=0.24:bimin=0.28:romax=0.5:gomax=0.45:bomax=0.5,scale=2560:720:flags=bicubic,gblur=sigma=6:steps=2,format=gbrp,$(hold $n),scroll=h=1/$n,crop=1280:720:300:0[l2];
    $(map 80x45 $n '188+34*sin(X*0.35+3*2*PI*T/12)*sin(Y*0.4+2*2*PI*T/12)+26*sin(X*0.2-Y*0.3+5*2*PI*T/12)' 1280:720)[tw];
    [l1][tw]blend=all_mode=multiply[x1];
    [x1][l2]blend=all_mode=screen,format=yuv444p,$(camera 1280 720 $n 0.05 0.03 18 4 2),${finish}[v]"
  sound="
    anoisesrc=d=12:c=brown:r=48000:a=0.6:seed=71,highpass=f=55,lowpass=f=420,volume='0.6+0.12*sin(2*PI*t/6)':eval=frame[l];
    anoisesrc=d=12:c=brown:r=48000:a=0.6:seed=72,highpass=f=55,lowpass=f=420,volume='0.6+0.12*sin(2*PI*t/6+1)':eval=frame[r];
    anoisesrc=d=12:c=pink:r=48000:a=0.5:seed=73,highpass=f=900,lowpass=f=3800,volume='0.1*pow(max(0,sin(PI*t/6)),6)+0.08*pow(max(0,sin(PI*t/4+1)),8)':eval=frame,apulsator=hz=0.0833:amount=0.9,aformat=channel_layouts=stereo[cars];
    aevalsrc='0.03*(sin(2*PI*415*t)+sin(2*PI*523*t))*between(t\\,4.2\\,4.38)+0.03*(sin(2*PI*415*t)+sin(2*PI*523*t))*between(t\\,4.5\\,4.8)':d=12:s=48000,lowpass=f=1200,aecho=0.7:0.6:180|420:0.4|0.3,atrim=end=12,aformat=channel_layouts=stereo[horn];
    [l][r]join=inputs=2:channel_layout=stereo[hum];[hum][cars][horn]amix=inputs=3:normalize=0[a]"
}

# One pipe-organ chord: it starts at $1, lasts 3 seconds, and sounds the notes that follow.
chord() {
  local at=$1 f sum=0
  shift
  for f in "$@"; do
    sum="$sum+sin(2*PI*$f*t)+0.5*sin(4*PI*$f*t)+0.3*sin(6*PI*$f*t)+0.22*sin(8*PI*$f*t)+0.1*sin(16*PI*$f*t)"
  done
  printf '+clip((t-%s)/0.12\\,0\\,1)*clip((%s+3-t)/0.12\\,0\\,1)*(%s)' "$at" "$at" "$sum"
}

vidriera() {
  title="Misa de doce, coro y órgano" tags='"música", "misa"' order=8
  description="El coro ensaya; la luz ya está en su sitio."
  seconds=12 kind=ladder crf=28 rate=660 loud=9
  local n=360 w='2*PI*T/12' flames='' halo='' x
  for x in 24 52 80 113 139 158; do
    flames+="+(0.86+0.14*sin($x+5*2*PI*T/3)*sin($x*3+7*2*PI*T/4))*exp(-pow((X-$x-0.7*sin($x*2+2*PI*T*0.75)*(48+mod($x,7)-Y)/5)/1.5,2)-pow((Y-44-mod($x,7))/3.6,2))"
    halo+="+(0.75+0.25*sin($x+9*2*PI*T/6)*sin($x*5+11*2*PI*T/6))*exp(-(pow((X-$x)/15,2)+pow((Y-44-mod($x,7))/15,2)))"
  done
  local boxes='' y
  for x in 24 52 80 113 139 158; do
    y=$((1220 + (44 + x % 7) * 4 + 13))
    boxes+="drawbox=x=$((x * 4 - 6)):y=$y:w=13:h=400:color=0xC9B48A@0.75:t=fill,drawbox=x=$((x * 4 + 2)):y=$y:w=5:h=400:color=0x3A2A18@0.55:t=fill,"
  done
  graph="
    [0:v]$(still 720:1560:0:0),${boxes}format=gbrp,split[s][g];
    [s]colorlevels=rimax=0.9:gimax=0.9:bimax=0.9,format=gbrp,$(hold $n)[base0];
    [g]scale=180:390:flags=area,colorlevels=rimin=0.2:gimin=0.2:bimin=0.2,gblur=sigma=9,scale=720:1560:flags=bicubic,format=gbrp,$(hold $n)[glow0];
    $(map 90x195 $n '255*clip(0.46+0.6*exp(-(pow((X-45-34*sin('"$w"'))/24,2)+pow((Y-70-42*cos('"$w"'))/38,2)))+0.32*exp(-(pow((X-45+34*sin('"$w"'+0.6))/18,2)+pow((Y-90-46*sin('"$w"'))/26,2)))+clip((Y-150)/12,0,0.5),0,1)' 720:1560),split[light][light2];
    [base0][light]blend=all_mode=multiply[base];
    [glow0][light2]blend=all_mode=multiply[glow];
    [base][glow]blend=all_mode=screen:all_opacity=0.6[lit];
    color=black:s=180x85:r=30,trim=end_frame=$n,format=gbrp,geq=
      r='255*clip((0$flames)+0.30*(0$halo),0,1)':
      g='255*clip(0.84*(0$flames)+0.15*(0$halo),0,1)':
      b='255*clip(0.46*(0$flames)+0.05*(0$halo),0,1)',
      scale=720:340:flags=bicubic,format=gbrp,pad=720:1560:0:1220:black,format=gbrp[fire];
    $(flecks 720 1560 0.99985 1.7 7 $n 1 -1 8)[dust];
    [lit][fire]blend=all_mode=screen[x1];
    [x1][dust]blend=all_mode=screen,format=yuv444p,perspective=eval=frame:interpolation=cubic:x0=0:x1=W:x2=0:x3=W:y0='140-90*cos(2*PI*in/$n)':y1='140-90*cos(2*PI*in/$n)':y2='1560+140-90*cos(2*PI*in/$n)':y3='1560+140-90*cos(2*PI*in/$n)',crop=720:1280:0:0,${finish}[v]"
  local hymn
  hymn="0$(chord 0 73.42 146.83 220 293.66 349.23)$(chord 3 58.27 116.54 233.08 293.66 466.16)$(chord 6 87.31 174.61 220 261.63 349.23)$(chord 9 65.41 130.81 196 261.63 329.63)"
  sound="
    aevalsrc='0.026*($hymn)':d=12:s=48000,lowpass=f=3600,aformat=channel_layouts=stereo,aecho=0.8:0.7:110|230|410|690:0.35|0.28|0.22|0.15,atrim=end=12,apulsator=hz=0.5:amount=0.15[organ];
    aevalsrc='0.5*(random(0)-0.5)*gt(random(1)\\,0.9996)|0.5*(random(2)-0.5)*gt(random(3)\\,0.9996)':d=12:s=48000,lowpass=f=5000,highpass=f=600[crackle];
    [organ][crackle]amix=inputs=2:normalize=0[a]"
}

# Notes of a tune as one expression: the eighth's number picks a frequency, 0 keeps silence.
tune() {
  local i=0 f sum=0
  for f in "$@"; do
    [ "$f" = 0 ] || sum="$sum+$f*eq(ld(0)\\,$i)"
    i=$((i + 1))
  done
  printf '%s' "$sum"
}

cumbia() {
  title="Cumbia de la azotea" tags='"música", "cumbia"' order=6
  description="Los del Tercero, un domingo cualquiera."
  seconds=19.95 kind=audio loud=0 # the encoder's lead-in fills the rest of the 20
  graph=''
  local e=0.3125 # an eighth at 96 beats a minute; 64 of them make the loop
  local A=440 B=493.88 C=523.25 D=587.33 E=659.26 F=698.46 G=783.99 a=880 gs=415.3
  local melody bass
  melody=$(tune \
    $A 0 $C $E 0 $D $C $D   $E 0 $E $G 0 $E $D $C  $D 0 $F $a 0 $G $F $E  $D 0 $B $D 0 $C $B $gs \
    $A 0 $C $E 0 $D $C $D   $E 0 $a $G 0 $E $G $E  $F $E $D $F 0 $E $D $B  $A 0 $A $B $C $B $A 0)
  bass=$(tune \
    110 0 0 0 164.81 0 130.81 0    110 0 0 0 164.81 0 130.81 0  73.42 0 0 0 110 0 87.31 0  82.41 0 0 0 123.47 0 103.83 0 \
    110 0 0 0 164.81 0 130.81 0  130.81 0 0 0 196 0 164.81 0  73.42 0 0 0 110 0 82.41 0  110 0 0 0 110 0 82.41 0)
  # The chord of each bar: three notes, one list each.
  local bar="st(3\\,floor(t/2.5))" n1 n2 n3
  n1="(220+73.66*eq(ld(3)\\,2)+26.94*eq(ld(3)\\,3)+41.63*eq(ld(3)\\,5)+73.66*eq(ld(3)\\,6))"
  n2="(261.63+87.6*eq(ld(3)\\,2)+68*eq(ld(3)\\,3)+68*eq(ld(3)\\,5)+87.6*eq(ld(3)\\,6))"
  n3="(329.63+110.37*eq(ld(3)\\,2)+85.67*eq(ld(3)\\,3)+62.37*eq(ld(3)\\,5)+110.37*eq(ld(3)\\,6))"
  sound="
    aevalsrc='st(0\\,floor(t/$e));st(1\\,$melody);st(2\\,mod(t\\,$e));0.085*gt(ld(1)\\,0)*min(1\\,ld(2)*70)*min(1\\,($e-ld(2))*40)*exp(-2.2*ld(2))*(sin(2*PI*ld(1)*ld(2)+0.25*sin(2*PI*5.5*t))+0.5*sin(4*PI*ld(1)*ld(2))+0.35*sin(6*PI*ld(1)*ld(2))+0.2*sin(8*PI*ld(1)*ld(2)))':d=20:s=48000,aformat=channel_layouts=stereo,aecho=0.8:0.5:312|469:0.18|0.12,atrim=end=20,stereotools=mode=lr>lr:balance_out=0.15[lead];
    aevalsrc='st(0\\,floor(t/$e));st(1\\,$bass);st(2\\,mod(t\\,$e));0.3*gt(ld(1)\\,0)*min(1\\,ld(2)*120)*min(1\\,($e-ld(2))*50)*exp(-2*ld(2))*(sin(2*PI*ld(1)*ld(2))+0.35*sin(4*PI*ld(1)*ld(2))+0.12*sin(6*PI*ld(1)*ld(2)))':d=20:s=48000,aformat=channel_layouts=stereo[low];
    aevalsrc='$bar;st(2\\,mod(t+$e\\,0.625));0.045*min(1\\,ld(2)*120)*exp(-11*ld(2))*(sin(2*PI*$n1*t)+sin(2*PI*$n2*t)+sin(2*PI*$n3*t)+0.4*sin(4*PI*$n1*t)+0.4*sin(4*PI*$n3*t))':d=20:s=48000,aformat=channel_layouts=stereo,stereotools=balance_out=-0.25[stab];
    aevalsrc='st(2\\,mod(t\\,1.25));0.42*exp(-11*ld(2))*sin(2*PI*(50*ld(2)+4*(1-exp(-35*ld(2)))))':d=20:s=48000,aformat=channel_layouts=stereo[kick];
    aevalsrc='st(2\\,mod(t\\,0.625));st(3\\,mod(t+0.3125\\,0.625));st(4\\,mod(t+0.15625\\,0.625));0.13*(random(0)-0.5)*(min(1\\,ld(2)*18)*exp(-9*ld(2))+0.8*exp(-42*ld(3))+0.8*exp(-42*ld(4)))*(0.6+0.4*sin(2*PI*130*t))':d=20:s=48000,highpass=f=3200,lowpass=f=10500,aformat=channel_layouts=stereo,stereotools=balance_out=0.3[scrape];
    aevalsrc='st(2\\,mod(t+0.3125\\,1.25));st(3\\,mod(t+0.15625\\,2.5));0.16*exp(-20*ld(2))*sin(2*PI*(210*ld(2)+2*(1-exp(-40*ld(2)))))+0.12*exp(-24*ld(3))*sin(2*PI*(300*ld(3)+2*(1-exp(-40*ld(3)))))':d=20:s=48000,aformat=channel_layouts=stereo,stereotools=balance_out=-0.3[conga];
    [lead][low][stab][kick][scrape][conga]amix=inputs=6:normalize=0[a]"
}

# --- writing -------------------------------------------------------------------------------------

# Options of one picture rendition: profile, quality, peak in kb/s.
video_options() {
  printf '%s\n' -c:v libx264 -threads 1 -preset slow -profile:v "$1" -crf "$2" -maxrate "${3}k" -bufsize "$(($3 * 3 / 2))k" \
    -pix_fmt yuv420p -r 30 -g 60 -keyint_min 60 -sc_threshold 0 -force_key_frames 'expr:gte(t,n_forced*2)' -flags +cgop \
    -x264-params aq-mode=3 -color_range tv -colorspace bt709 -color_primaries bt709 -color_trc bt709
}

sound_options=(-c:a aac -b:a 96k -ar 48000 -ac 2)

# Options of an HLS playlist in folder $1 with segments of kind $2 (ts or fmp4).
hls_options() {
  printf '%s\n' -f hls -hls_time 2 -hls_playlist_type vod -hls_flags independent_segments
  if [ "$2" = fmp4 ]; then
    printf '%s\n' -hls_segment_type fmp4 -hls_fmp4_init_filename init.mp4 -hls_segment_filename "$1/segment_%03d.m4s"
  else
    printf '%s\n' -hls_segment_filename "$1/segment_%03d.ts"
  fi
  printf '%s\n' "$1/playlist.m3u8"
}

# The line of a master playlist for rendition $2 of folder $1, measured on its segments.
variant() {
  local dir=$1/$2 peak=0 bytes=0 ms=0 length size file profile level codec shape
  while IFS=' ' read -r length file; do
    size=$(stat -c %s "$dir/$file")
    length=$(awk -v s="$length" 'BEGIN { printf "%d", s * 1000 }')
    bytes=$((bytes + size)) ms=$((ms + length))
    if [ $((size * 8000 / length)) -gt $peak ]; then peak=$((size * 8000 / length)); fi
  done < <(awk -F'[:,]' '/^#EXTINF/ { d = $2 } /^[^#]/ { print d, $0 }' "$dir/playlist.m3u8")
  IFS=, read -r profile shape level < <(ffprobe -v error -select_streams v:0 \
    -show_entries stream=profile,width,height,level -of csv=p=0 "$dir/segment_000.ts" | head -n 1 | sed -E 's/^([^,]+),([0-9]+),([0-9]+),/\1,\2x\3,/')
  case $profile in
    High) codec=6400 ;;
    Main) codec=4D40 ;;
    *) fail "unknown profile $profile" ;;
  esac
  codec=avc1.$codec$(printf %02X "$level")
  printf '#EXT-X-STREAM-INF:BANDWIDTH=%d,AVERAGE-BANDWIDTH=%d,RESOLUTION=%s,FRAME-RATE=30.000,CODECS="%s,mp4a.40.2"\n%s/playlist.m3u8\n' \
    "$peak" "$((bytes * 8000 / ms))" "$shape" "$codec" "$2"
}

# The poster $2 from the first frame of $1, as fine as fits.
poster() {
  local quality
  for quality in 90 84 78 72 66 60 52 44 36 28; do
    ff -i "$1" -frames:v 1 -vf "scale='min(720,iw)':-2:flags=lanczos" -c:v libwebp -compression_level 6 -quality $quality "$2"
    if [ "$(stat -c %s "$2")" -le $poster_limit ]; then return; fi
  done
  fail "the poster of $1 is too large"
}

make_channel() {
  local id=$1 tmp=$out/.tmp-$1
  local title description tags order seconds kind crf rate loud graph sound
  "$id"
  rm -rf "$tmp"
  mkdir -p "$tmp"
  sound="$sound;[a]volume=${loud}dB,afade=t=in:d=0.03,afade=t=out:st=$(awk "BEGIN { print $seconds - 0.03 }"):d=0.03,alimiter=limit=0.89:level=0[aout]"
  case $kind in
    audio)
      ff -filter_complex "$sound" -map '[aout]' -t "$seconds" "${sound_options[@]}" $(hls_options "$tmp" fmp4)
      poster "$stills/$id.jpg" "$tmp/poster.webp"
      ;;
    ladder)
      mkdir "$tmp/360" "$tmp/540" "$tmp/720"
      ff -i "$stills/$id.jpg" -filter_complex "$graph;$sound;
          [v]split=3[v720][w540][w360];[w540]scale=540:960:flags=bicubic[v540];[w360]scale=360:640:flags=bicubic[v360];
          [aout]asplit=3[a720][a540][a360]" \
        -map '[v360]' -map '[a360]' -t "$seconds" $(video_options main "$crf" $((rate * 35 / 100))) "${sound_options[@]}" $(hls_options "$tmp/360" ts) \
        -map '[v540]' -map '[a540]' -t "$seconds" $(video_options high "$crf" $((rate * 65 / 100))) "${sound_options[@]}" $(hls_options "$tmp/540" ts) \
        -map '[v720]' -map '[a720]' -t "$seconds" $(video_options high "$crf" "$rate") "${sound_options[@]}" $(hls_options "$tmp/720" ts)
      {
        printf '#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n'
        variant "$tmp" 540
        variant "$tmp" 360
        variant "$tmp" 720
      } >"$tmp/playlist.m3u8"
      poster "$tmp/720/playlist.m3u8" "$tmp/poster.webp"
      ;;
    *)
      ff -i "$stills/$id.jpg" -filter_complex "$graph;$sound" -map '[v]' -map '[aout]' -t "$seconds" \
        $(video_options high "$crf" "$rate") "${sound_options[@]}" $(hls_options "$tmp" "$kind")
      poster "$tmp/playlist.m3u8" "$tmp/poster.webp"
      ;;
  esac
  if [ -d "$here/subtitles/$id" ]; then cp -R "$here/subtitles/$id/." "$tmp/"; fi
  printf 'title = "%s"\ndescription = "%s"\ntags = [%s]\norder = %d\n' "$title" "$description" "$tags" "$order" >"$tmp/channel.toml"
  rm -rf "${out:?}/$id"
  mv "$tmp" "$out/$id"
}

# --- checking ------------------------------------------------------------------------------------

check_playlist() {
  local list=$1 dir line
  dir=$(dirname "$list")
  [ "$(head -n 1 "$list")" = '#EXTM3U' ] || fail "$list does not begin with #EXTM3U"
  if ! grep -q '^#EXT-X-STREAM-INF' "$list"; then
    [ "$(tail -n 1 "$list")" = '#EXT-X-ENDLIST' ] || fail "$list does not end with #EXT-X-ENDLIST"
  fi
  while read -r line; do
    [ -s "$dir/$line" ] || fail "$list names $line, which is not there"
    case $line in *.m3u8) check_playlist "$dir/$line" ;; esac
  done < <(sed -nE 's/^#EXT-X-MAP:URI="([^"]+)".*/\1/p; /^[^#]/p' "$list")
  ffprobe -v error -show_entries format=duration "$list" >/dev/null || fail "ffprobe cannot read $list"
}

check() {
  local id file bytes total=0
  for id in "${all[@]}"; do
    [ -d "$out/$id" ] || continue
    for file in playlist.m3u8 poster.webp channel.toml; do
      [ -s "$out/$id/$file" ] || fail "$id has no $file"
    done
    check_playlist "$out/$id/playlist.m3u8"
    [ "$(stat -c %s "$out/$id/poster.webp")" -le $poster_limit ] || fail "the poster of $id is too large"
    bytes=$(find "$out/$id" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')
    total=$((total + bytes))
    printf '%-10s %8d bytes\n' "$id" "$bytes"
  done
  printf '%-10s %8d bytes\n' total "$total"
  [ "$total" -le "$limit" ] || fail "the channels take more than $limit bytes"
}

force=no
ids=()
for arg in "$@"; do
  case $arg in
    --force) force=yes ;;
    *)
      [[ " ${all[*]} " == *" $arg "* ]] || fail "no channel is called $arg (there are: ${all[*]})"
      ids+=("$arg")
      ;;
  esac
done
[ ${#ids[@]} -gt 0 ] || ids=("${all[@]}")

mkdir -p "$out"
set -f # the options of the helpers are split into words, not into file names
IFS=$'\n'
for id in "${ids[@]}"; do
  if [ -d "$out/$id" ] && [ $force = no ]; then
    echo "$id is there"
    continue
  fi
  echo "making $id"
  make_channel "$id"
done
IFS=$' \t\n'
set +f
check
