// Work for open arenas: looks for a number with which the challenge's SHA-256 begins with enough zero bits.
// Whatever goes wrong here costs nobody a battle: without work it is served all the same, and marked.

const AT_ONCE = 200;
const PATIENCE_MS = 4000;
const encoder = new TextEncoder();
let address = "";
let ahead = null;

/** Begins to work for the next battle; `url` is where challenges come from, "" where none is asked for. */
export function prepare(url) {
  address = url ?? "";
  if (address && !ahead) ahead = solve().catch(() => "");
}

/** The work for one battle, spent with this call; "" when it is not ready in time. */
export async function spend() {
  if (!ahead) return "";
  const done = await Promise.race([ahead, new Promise((resolve) => { setTimeout(resolve, PATIENCE_MS, null); })]);
  if (done === null) return ""; // it goes on, for the next battle
  ahead = null;
  prepare(address);
  return done;
}

async function solve() {
  const { challenge, bits } = await (await fetch(address, { headers: { Accept: "application/json" } })).json();
  for (let start = 0; ; start += AT_ONCE) {
    const tries = Array.from({ length: AT_ONCE }, (_, place) => `${challenge}~${start + place}`);
    const digests = await Promise.all(tries.map((text) => crypto.subtle.digest("SHA-256", encoder.encode(text))));
    const found = digests.findIndex((digest) => zeroBits(new Uint8Array(digest)) >= bits);
    if (found >= 0) return tries[found];
  }
}

function zeroBits(bytes) {
  let count = 0;
  for (const byte of bytes) {
    if (byte) return count + Math.clz32(byte) - 24;
    count += 8;
  }
  return count;
}
