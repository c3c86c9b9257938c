// One reel: its name, its sound button, and while it is active its player.
import { memo } from "react";

import { Player } from "./Player.jsx";

export const Reel = memo(function Reel({ channel, index, from, active, muted, onMuted }) {
  return (
    <section className="reel" data-index={index} data-channel={channel}>
      {active && <Player src={`${from}/streams/${encodeURIComponent(channel)}/playlist.m3u8`} muted={muted} />}
      <div className="overlay">
        <h2>{channel}</h2>
        <button type="button" aria-pressed={!muted} onClick={() => onMuted(!muted)}>
          Sound
        </button>
      </div>
    </section>
  );
});
