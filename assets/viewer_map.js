// Turns packed numbers into colours, by the same rules as xai_core/render. Must come before viewer.js, which uses it.

const CANVAS_SIDE = 448; // least longer side of a canvas
const PIXEL_ART_SIDE = 64; // maps smaller than this are drawn as squares
const NO_NUMBER = -32768; // what is packed for NaN

const decodeBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

// Three digits, or fewer if the packed numbers (in steps of peak / 32767) are not that precise.
function formatNumber(value, peak) {
  const steps = Math.abs(value / peak) * 32767 || 0;
  return String(Number(Math.abs(value).toPrecision(Math.max(1, Math.min(3, Math.floor(Math.log10(steps || 1)))))));
}

function createCanvas(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

async function unpackValues(map) {
  const stream = new Blob([decodeBase64(map.values)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const view = new DataView(await new Response(stream).arrayBuffer());
  const values = new Float32Array(view.byteLength / 2);
  for (let index = 0; index < values.length; index++) {
    const step = view.getInt16(2 * index, true);
    values[index] = step === NO_NUMBER ? NaN : (step / 32767) * map.peak;
  }
  return values;
}

// Bilinear between the centres of cells, or squares for small grids: the same rule as xai_core/render/overlay.py.
function enlarge(values, [columns, rows], factor) {
  if (factor === 1) return values;
  const width = columns * factor;
  const height = rows * factor;
  const enlarged = new Float32Array(width * height);
  const asSquares = Math.max(columns, rows) < PIXEL_ART_SIDE;
  for (let y = 0; y < height; y++) {
    const row = (y + 0.5) / factor - 0.5;
    const top = Math.max(0, Math.floor(row));
    const bottom = Math.min(rows - 1, Math.floor(row) + 1);
    const shareBelow = row - Math.floor(row);
    for (let x = 0; x < width; x++) {
      const nearest = values[Math.floor(y / factor) * columns + Math.floor(x / factor)];
      if (asSquares || Number.isNaN(nearest)) {
        enlarged[y * width + x] = nearest;
        continue;
      }
      const column = (x + 0.5) / factor - 0.5;
      const left = Math.max(0, Math.floor(column));
      const right = Math.min(columns - 1, Math.floor(column) + 1);
      const shareRight = column - Math.floor(column);
      const readCell = (cellRow, cellColumn) => values[cellRow * columns + cellColumn] || 0;
      const above = readCell(top, left) * (1 - shareRight) + readCell(top, right) * shareRight;
      const below = readCell(bottom, left) * (1 - shareRight) + readCell(bottom, right) * shareRight;
      enlarged[y * width + x] = above * (1 - shareBelow) + below * shareBelow;
    }
  }
  return enlarged;
}

// The row of the colour table for a value that is `part` of full colour. Row 128 of a signed table is 0.
const getTableRow = (part, signed) =>
  signed ? 128 + Math.round(Math.max(-1, Math.min(1, part)) * 127) : Math.round(Math.max(0, Math.min(1, part)) * 255);

function colourise(target, values, scale, table, signed) {
  const image = target.createImageData(target.canvas.width, target.canvas.height);
  const out = new Uint32Array(image.data.buffer);
  const colours = new Uint32Array(table.buffer);
  for (let index = 0; index < values.length; index++) {
    if (!Number.isNaN(values[index]) && scale > 0) out[index] = colours[getTableRow(values[index] / scale, signed)];
  }
  target.putImageData(image, 0, 0);
}

// A line around each region whose |value| is at least `share` of full colour, in the colour of its sign and with a white
// edge inside: 5 pixels of colour, then 2 of white.
function drawOutline(target, values, scale, table, signed, share) {
  const width = target.canvas.width;
  const height = target.canvas.height;
  const image = target.createImageData(width, height);
  const out = image.data;
  const getSign = (x, y) => {
    const value = x < 0 || y < 0 || x >= width || y >= height ? 0 : values[y * width + x];
    return scale > 0 && Math.abs(value) >= scale * share ? Math.sign(value) : 0;
  };
  const isEdge = (x, y, sign, reach) =>
    getSign(x - reach, y) !== sign ||
    getSign(x + reach, y) !== sign ||
    getSign(x, y - reach) !== sign ||
    getSign(x, y + reach) !== sign;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sign = getSign(x, y);
      if (!sign || !isEdge(x, y, sign, 7)) continue;
      const row = 4 * getTableRow(sign, signed);
      const index = 4 * (y * width + x);
      const isLine = isEdge(x, y, sign, 5);
      for (let channel = 0; channel < 3; channel++) out[index + channel] = isLine ? table[row + channel] : 255;
      out[index + 3] = 255;
    }
  }
  target.putImageData(image, 0, 0);
}
