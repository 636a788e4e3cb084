// From packed numbers to colours. Read before viewer.js, which uses these functions; the rules are those of xai_core/render.

const SIDE = 448, PIXEL_ART = 64, NO_NUMBER = -32768;

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

// Three digits, fewer where the packed numbers (steps of peak / 32767) do not carry three.
function number(value, peak) {
  const steps = Math.abs(value / peak) * 32767 || 0;
  return String(Number(Math.abs(value).toPrecision(Math.max(1, Math.min(3, Math.floor(Math.log10(steps || 1)))))));
}

function surface(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

async function unpack(map) {
  const stream = new Blob([bytes(map.values)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const whole = new DataView(await new Response(stream).arrayBuffer()), values = new Float32Array(whole.byteLength / 2);
  for (let at = 0; at < values.length; at++) {
    const step = whole.getInt16(2 * at, true);
    values[at] = step === NO_NUMBER ? NaN : (step / 32767) * map.peak;
  }
  return values;
}

// Bilinear between cell centres, or squares for small grids: the same rule as xai_core/render/overlay.py.
function enlarge(values, [columns, rows], factor) {
  if (factor === 1) return values;
  const width = columns * factor, height = rows * factor, out = new Float32Array(width * height), squares = Math.max(columns, rows) < PIXEL_ART;
  for (let y = 0; y < height; y++) {
    const v = (y + 0.5) / factor - 0.5, top = Math.max(0, Math.floor(v)), bottom = Math.min(rows - 1, Math.floor(v) + 1), down = v - Math.floor(v);
    for (let x = 0; x < width; x++) {
      const nearest = values[Math.floor(y / factor) * columns + Math.floor(x / factor)];
      if (squares || Number.isNaN(nearest)) { out[y * width + x] = nearest; continue; }
      const u = (x + 0.5) / factor - 0.5, left = Math.max(0, Math.floor(u)), right = Math.min(columns - 1, Math.floor(u) + 1), across = u - Math.floor(u);
      const at = (row, column) => values[row * columns + column] || 0;
      const above = at(top, left) * (1 - across) + at(top, right) * across, below = at(bottom, left) * (1 - across) + at(bottom, right) * across;
      out[y * width + x] = above * (1 - down) + below * down;
    }
  }
  return out;
}

const rowOf = (part, signed) => (signed ? 128 + Math.round(Math.max(-1, Math.min(1, part)) * 127) : Math.round(Math.max(0, Math.min(1, part)) * 255));

function colourise(target, values, scale, table, signed) {
  const image = target.createImageData(target.canvas.width, target.canvas.height), out = new Uint32Array(image.data.buffer), colours = new Uint32Array(table.buffer);
  for (let at = 0; at < values.length; at++) {
    if (!Number.isNaN(values[at]) && scale > 0) out[at] = colours[rowOf(values[at] / scale, signed)];
  }
  target.putImageData(image, 0, 0);
}

// A line around every region whose |value| is at least half of full colour, in the colour of its sign, with a white rim.
function outline(target, values, scale, table, signed) {
  const width = target.canvas.width, height = target.canvas.height, image = target.createImageData(width, height), out = image.data;
  const side = (x, y) => {
    const value = x < 0 || y < 0 || x >= width || y >= height ? 0 : values[y * width + x];
    return scale > 0 && Math.abs(value) >= scale / 2 ? Math.sign(value) : 0;
  };
  const edge = (x, y, sign, reach) => side(x - reach, y) !== sign || side(x + reach, y) !== sign || side(x, y - reach) !== sign || side(x, y + reach) !== sign;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sign = side(x, y);
      if (!sign || !edge(x, y, sign, 7)) continue;
      const row = 4 * rowOf(sign, signed), at = 4 * (y * width + x), line = edge(x, y, sign, 5);
      for (let channel = 0; channel < 3; channel++) out[at + channel] = line ? table[row + channel] : 255;
      out[at + 3] = 255;
    }
  }
  target.putImageData(image, 0, 0);
}
