// The page: asks for the channels, shows them as a feed.
import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

import { Feed } from "./Feed.jsx";
import "video.js/dist/video-js.css";
import "./page.css";

/** The Carrete server that lists and serves the channels: `?from=http://host:port`. */
const from = new URLSearchParams(location.search).get("from") ?? "";

function App() {
  const [channels, setChannels] = useState([]);
  const [failure, setFailure] = useState(null);
  useEffect(() => {
    const request = new AbortController();
    fetch(`${from}/api/channels`, { signal: request.signal })
      .then((answer) => answer.json())
      .then(setChannels)
      .catch((error) => request.signal.aborted || setFailure(error));
    return () => request.abort();
  }, []);
  if (failure) return <p role="alert">The channels could not be loaded.</p>;
  return <Feed channels={channels} from={from} />;
}

createRoot(document.getElementById("root")).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
