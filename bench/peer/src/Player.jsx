// A Video.js player for as long as it is shown, made and disposed of as its guide for React says.
import { useEffect, useRef } from "react";
import videojs from "video.js";

export function Player({ src, muted }) {
  const box = useRef(null);
  const player = useRef(null);

  useEffect(() => {
    const element = document.createElement("video-js");
    box.current.append(element);
    player.current = videojs(element, {
      autoplay: true,
      muted,
      loop: true,
      controls: false,
      playsinline: true,
      preload: "auto",
      fill: true,
      sources: [{ src, type: "application/x-mpegURL" }],
    });
    return () => {
      player.current.dispose();
      player.current = null;
    };
    // The sound is handed on below, without a new player.
  }, [src]);

  useEffect(() => {
    player.current?.muted(muted);
  }, [muted]);

  return <div className="player" ref={box} />;
}
