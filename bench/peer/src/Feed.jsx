// The feed: one reel a screen, scrolled natively; the one in the middle of the screen is active.
import { useEffect, useRef, useState } from "react";

import { Reel } from "./Reel.jsx";

/** So much of a reel is seen when it becomes the active one. */
const MOSTLY = 0.6;

export function Feed({ channels, from }) {
  const feed = useRef(null);
  const [active, setActive] = useState(0);
  const [muted, setMuted] = useState(true);

  useEffect(() => {
    const seen = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) if (isIntersecting) setActive(Number(target.dataset.index));
      },
      { root: feed.current, threshold: MOSTLY },
    );
    for (const reel of feed.current.children) seen.observe(reel);
    return () => seen.disconnect();
  }, [channels]);

  return (
    <main className="feed" ref={feed}>
      {channels.map((channel, index) => (
        <Reel
          key={channel}
          channel={channel}
          index={index}
          from={from}
          active={index === active}
          muted={muted}
          onMuted={setMuted}
        />
      ))}
    </main>
  );
}
