// Points drawn pixel by pixel, for machines without a graphics card for WebGL. Read after scatter_draw.js, whose scene and sizes it shares.

// How far (x, y) is beyond the edge of a shape, in radii: the same as in the shader above.
function outside(shape, x, y) {
  const [across, down] = [Math.abs(x), Math.abs(y)];
  if (shape === 1) return Math.max(across, down) - 0.86;
  if (shape === 2) return Math.max(0.866 * across - 0.5 * y, y) - 0.55;
  if (shape === 3) return 0.7071 * (across + down - 1.1);
  if (shape === 4) return Math.max(Math.min(across, down) - 0.34, Math.max(across, down) - 1);
  return Math.hypot(x, y) - 0.95;
}

const PHASES = 4; // places between two pixels, in each direction, at which a point can be drawn
const SHADES = 4; // steps from a point's colour to that of its edge
const DEPTHS = 1024;

// Points as stamps, pixel by pixel: without a graphics card ten times faster than the same shader in software.
class CanvasPainter {
  static finest(count) { return count > 5000 ? 1 : 2; } // pixels for each CSS pixel that still follow the mouse

  constructor(canvas) {
    Object.assign(this, { canvas, name: "canvas", pen: canvas.getContext("2d", { alpha: false }), stamps: new Map() });
  }

  draw({ colours, chosen, camera, size, ink, paper }) {
    const { canvas } = this, ratio = canvas.width / camera.width, count = colours.length / 4, looks = new Uint32Array(colours.buffer, colours.byteOffset, count);
    if (this.image?.width !== canvas.width || this.image.height !== canvas.height) this.paperOf(canvas.width, canvas.height);
    this.pixels.fill(packedColour(paper));
    const scene = { looks, spots: camera.project(), lens: camera.solid ? EYE : 0, ratio };
    const some = chosen.length > 0, thick = bold(size);
    this.pass(scene, order(camera, others(chosen, count)), { radius: size, opacity: some ? QUIET : 1, rim: 0.8, edge: RIM, ink });
    if (some) this.pass(scene, order(camera, chosen), { radius: thick, opacity: 1, rim: Math.min(1.2, 0.22 * thick), edge: 1, ink });
    this.pen.putImageData(this.image, 0, 0);
  }

  paperOf(width, height) {
    this.image = this.pen.createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.stamps.clear(); // their offsets are for one width
  }

  pass({ looks, spots, lens, ratio }, points, { radius, opacity, rim, edge, ink }) {
    const shades = new Map(), alpha = Math.round(256 * opacity), stamps = this.stampsOf(rim * ratio);
    for (const point of points) {
      const look = looks[point], near = lens ? lens / (lens - spots[3 * point + 2]) : 1;
      let inks = shades.get(look);
      if (!inks) shades.set(look, (inks = shaded(look, ink, edge)));
      const x = Math.round(spots[3 * point] * ratio * PHASES), y = Math.round(spots[3 * point + 1] * ratio * PHASES);
      const quarters = Math.round(4 * radius * near * ratio), phase = PHASES * (y & (PHASES - 1)) + (x & (PHASES - 1)), key = (quarters * PHASES * PHASES + phase) * 8 + (look >>> 24);
      let stamp = stamps.get(key);
      if (!stamp) stamps.set(key, (stamp = cut(look >>> 24, quarters / 4, rim * ratio, phase, this.image.width)));
      this.press(stamp, Math.floor(x / PHASES), Math.floor(y / PHASES), inks, alpha);
    }
  }

  stampsOf(rim) {
    if (this.stamps.size > 40) this.stamps.clear(); // each zoom has its own
    if (!this.stamps.has(rim)) this.stamps.set(rim, new Map());
    return this.stamps.get(rim);
  }

  press({ reach, across, down, shift, cover, shade }, x, y, inks, alpha) {
    const { pixels } = this, { width, height } = this.image;
    if (x < -reach || y < -reach || x >= width + reach || y >= height + reach) return;
    const whole = x >= reach && y >= reach && x < width - reach && y < height - reach, start = y * width + x;
    const beyond = (at) => x + across[at] < 0 || x + across[at] >= width || y + down[at] < 0 || y + down[at] >= height;
    for (let at = 0; at < shift.length; at++) {
      if (!whole && beyond(at)) continue;
      const place = start + shift[at], ink = inks[shade[at]], part = (cover[at] * alpha) >> 8;
      if (part >= 256) { pixels[place] = ink; continue; }
      const old = pixels[place], rest = 256 - part;
      const ends = ((old & 0xff00ff) * rest + (ink & 0xff00ff) * part) >>> 8, middle = ((old & 0xff00) * rest + (ink & 0xff00) * part) >>> 8;
      pixels[place] = 0xff000000 | (ends & 0xff00ff) | (middle & 0xff00);
    }
  }

  dispose() {}
}

// The pixels of a shape around the pixel the point is in, for a point `phase` quarters of a pixel right of and below that pixel's corner.
function cut(shape, radius, rim, phase, width) {
  const reach = Math.ceil(1.1 * radius + 1), found = [], [right, below] = [(phase % PHASES) / PHASES, Math.floor(phase / PHASES) / PHASES];
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const far = radius * outside(shape, (x + 0.5 - right) / radius, (y + 0.5 - below) / radius), cover = Math.round(256 * Math.min(1, 0.5 - far));
      if (cover > 24) found.push([x, y, cover, Math.round(SHADES * Math.min(1, Math.max(0, 0.5 + far + rim)))]);
    }
  }
  const column = (at, Kind) => Kind.from(found, (pixel) => pixel[at]);
  return { reach, across: column(0, Int16Array), down: column(1, Int16Array), cover: column(2, Uint16Array), shade: column(3, Uint8Array), shift: Int32Array.from(found, ([x, y]) => y * width + x) };
}

const packedColour = ([red, green, blue]) => 0xff000000 | (blue << 16) | (green << 8) | red;

// A point's colour (of its four bytes the lower three) in SHADES steps to that of its edge.
function shaded(look, ink, edge) {
  const own = [look & 255, (look >> 8) & 255, (look >> 16) & 255];
  return Uint32Array.from({ length: SHADES + 1 }, (_, step) => packedColour(own.map((part, at) => Math.round(part + ((edge * step) / SHADES) * (ink[at] - part)))));
}

function others(chosen, count) {
  const taken = new Uint8Array(count), rest = new Uint32Array(count - chosen.length);
  for (const point of chosen) taken[point] = 1;
  for (let point = 0, at = 0; point < count; point++) if (!taken[point]) rest[at++] = point;
  return rest;
}

// The points in the order of drawing: as they come in a flat map, far ones first in a solid one.
function order(camera, all) {
  if (!camera.solid) return all;
  const spots = camera.project(), level = (point) => Math.min(DEPTHS - 1, Math.max(0, Math.floor(((spots[3 * point + 2] + 1.1) / 2.2) * DEPTHS)));
  const starts = new Uint32Array(DEPTHS + 1), sorted = new Uint32Array(all.length);
  for (const point of all) starts[level(point) + 1]++;
  for (let at = 0; at < DEPTHS; at++) starts[at + 1] += starts[at];
  for (const point of all) sorted[starts[level(point)]++] = point;
  return sorted;
}
