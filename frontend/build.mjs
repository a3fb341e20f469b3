// Rebuilds static/vendor from the pinned packages: npm ci --ignore-scripts && npm run build
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const out = new URL("../static/vendor/", import.meta.url);
const licences = {
  "htmx.org": "LICENSE", partysocket: "LICENSE.txt", "event-target-polyfill": "LICENSE",
  "@twilio/voice-sdk": "LICENSE.md", loglevel: "LICENSE-MIT", events: "LICENSE", tslib: "LICENSE.txt",
};

mkdirSync(out, { recursive: true });
for (const name of ["vendor", "phone"]) {
  await build({
    entryPoints: [`src/${name}.js`], outfile: new URL(`${name}.js`, out).pathname,
    bundle: true, minify: true, format: "iife", target: "es2022", legalComments: "none", charset: "utf8",
  });
}

const texts = Object.entries(licences).map(([name, file]) => {
  const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  let text;
  try { text = readFileSync(`node_modules/${name}/${file}`, "utf8"); } catch { text = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).license; }
  return `${name} ${version}\n${"=".repeat(40)}\n${text.trim()}\n`;
});
writeFileSync(new URL("LICENSES.txt", out), texts.join("\n\n"));

const sums = readdirSync(out).filter((f) => f !== "SHA256SUMS").sort()
  .map((f) => `${createHash("sha256").update(readFileSync(new URL(f, out))).digest("hex")}  ${f}`);
writeFileSync(new URL("SHA256SUMS", out), `${sums.join("\n")}\n`);
