// The data of the page: names and shapes as JSON, everything large as base64 of zlib streams in elements of its own.

const study = JSON.parse(document.getElementById("data").textContent);
const axisNames = ["z", "y", "x"];

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
  return bytes;
}

async function inflated(base64) {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const blob = (id) => inflated(document.getElementById(id).textContent);

// Particles as columns; `place` starts at 1 wherever it stands for a particle, because 0 is no particle.
async function readParticles(about) {
  return JSON.parse(new TextDecoder().decode(await blob(about.data)));
}

// uint16 labels, XORed along y, low bytes before high bytes (packed_labels in reduced.cpp).
async function readLabels(about) {
  const bytes = await blob(about.data);
  const [nz, ny, nx] = about.shape;
  const values = new Uint16Array(nz * ny * nx);
  for (let i = 0; i < values.length; ++i) {
    const code = bytes[i] | (bytes[values.length + i] << 8);
    values[i] = Math.floor(i / nx) % ny === 0 ? code : code ^ values[i - nx];
  }
  return { ...about, values };
}

// 64 grey levels, differences along x (packed_grey in reduced.cpp); returned as 0..252.
async function readGrey(about) {
  const values = await blob(about.data);
  const nx = about.shape[2];
  for (let i = 0; i < values.length; ++i) if (i % nx !== 0) values[i] = (values[i] + values[i - 1]) & 255;
  for (let i = 0; i < values.length; ++i) values[i] *= 4;
  return { ...about, values };
}

// Everything of an electrode, read once when it is first looked at.
const electrodeCache = new Map();
function readElectrode(number) {
  if (!electrodeCache.has(number)) {
    const about = study.electrodes[number];
    electrodeCache.set(number, (async () => ({
      about,
      particles: about.particles ? await readParticles(about.particles) : null,
      labels: about.labels ? await readLabels(about.labels) : null,
      grey: about.grey ? await readGrey(about.grey) : null,
    }))());
  }
  return electrodeCache.get(number);
}

const lengthsOf = (grid) => grid.shape.map((n, a) => n * grid.voxel[a]);

function numberText(value, digits = 4) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "";
  return String(Number(value.toPrecision(digits)));
}

// "um^3" as people write it.
const unitText = (unit) => unit.replace("degree", "°").replace(/^um/, "µm").replace("^2", "²").replace("^3", "³").replace("1/grey value", "per grey value");

// Viridis (CC0), as in picture.cpp.
const viridisStops = [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129],
  [92, 200, 99], [170, 220, 50], [253, 231, 37]];
const unknownColour = [150, 150, 150];
function viridis(share) {
  if (!Number.isFinite(share)) return unknownColour;
  const at = Math.min(1, Math.max(0, share)) * 8;
  const i = Math.min(7, Math.floor(at));
  return viridisStops[i].map((c, k) => Math.round(c + (at - i) * (viridisStops[i + 1][k] - c)));
}

// Range of a column that colours span: between the 2 % and 98 % quantiles, so that one particle does not flatten all.
function colourRange(values) {
  const known = values.filter((v) => v !== null && Number.isFinite(v)).sort((a, b) => a - b);
  if (known.length === 0) return { low: 0, high: 1, cut: false };
  const at = (share) => known[Math.round(share * (known.length - 1))];
  const low = at(0.02), high = at(0.98);
  if (high > low) return { low, high, cut: low > known[0] || high < known[known.length - 1] };
  return { low: known[0], high: known[known.length - 1] > known[0] ? known[known.length - 1] : known[0] + 1, cut: false };
}

// Colour of every particle by a column: [place] -> [r, g, b].
function coloursBy(particles, column) {
  const values = particles.columns[column];
  const range = colourRange(values);
  const colours = [unknownColour];
  for (const v of values) colours.push(v === null ? unknownColour : viridis((v - range.low) / (range.high - range.low)));
  return { colours, range };
}

function element(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") e.className = value;
    else if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else e.setAttribute(key, value);
  }
  e.append(...children);
  return e;
}
