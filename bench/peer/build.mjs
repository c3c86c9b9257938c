// Bundles the page for production: node build.mjs DIR writes index.html, main.js and main.css there.
import { cpSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const outdir = process.argv[2] ?? join(here, "dist");
await build({
  entryPoints: [join(here, "src", "main.jsx")],
  outdir,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  // The style of Video.js carries its icon font, as a Vite or webpack build would have it.
  loader: { ".woff": "dataurl" },
  define: { "process.env.NODE_ENV": '"production"' },
  legalComments: "none",
  logLevel: "warning",
});
cpSync(join(here, "index.html"), join(outdir, "index.html"));
