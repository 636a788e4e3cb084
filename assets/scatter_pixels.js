// Draws the points pixel by pixel, for machines without a graphics card for WebGL. Must come after scatter_draw.js,
// whose scene and sizes it uses.

// Distance of (x, y) beyond the edge of a shape, in radii: the same as in the shader of scatter_draw.js.
function measureOutside(shape, x, y) {
  const [absX, absY] = [Math.abs(x), Math.abs(y)];
  if (shape === 1) return Math.max(absX, absY) - 0.86;
  if (shape === 2) return Math.max(0.866 * absX - 0.5 * y, y) - 0.55;
  if (shape === 3) return 0.7071 * (absX + absY - 1.1);
  if (shape === 4) return Math.max(Math.min(absX, absY) - 0.34, Math.max(absX, absY) - 1);
  return Math.hypot(x, y) - 0.95;
}

const SUBPIXELS = 4; // positions within a pixel, in each direction, at which a point can be drawn; a power of 2
const SHADE_STEPS = 4; // steps from a point's colour to that of its edge
const DEPTH_LEVELS = 1024;

// Copies each point from a stamp, its shape drawn once: without a graphics card much faster than the same shader in
// software.
class CanvasPainter {
  // Pixels for each CSS pixel with which the map is still fast enough to follow the mouse.
  static getMaxPixelRatio(count) {
    return count > 5000 ? 1 : 2;
  }

  constructor(canvas) {
    Object.assign(this, {
      canvas,
      name: "canvas",
      context: canvas.getContext("2d", { alpha: false }),
      stamps: new Map(),
    });
  }

  draw({ colours, chosen, camera, size, ink, paper }) {
    const { canvas } = this;
    const ratio = canvas.width / camera.width;
    const count = colours.length / 4;
    const styles = new Uint32Array(colours.buffer, colours.byteOffset, count);
    if (this.image?.width !== canvas.width || this.image.height !== canvas.height)
      this.createImage(canvas.width, canvas.height);
    this.pixels.fill(packColour(paper));
    const scene = { styles, screenPoints: camera.projectAll(), eye: camera.is3d ? EYE_DISTANCE : 0, ratio };
    const hasChosen = chosen.length > 0;
    const chosenRadius = getChosenRadius(size);
    this.drawPass(scene, sortByDepth(camera, listOthers(chosen, count)), {
      radius: size,
      opacity: hasChosen ? UNCHOSEN_OPACITY : 1,
      rim: 0.8,
      edge: EDGE_STRENGTH,
      ink,
    });
    if (hasChosen)
      this.drawPass(scene, sortByDepth(camera, chosen), {
        radius: chosenRadius,
        opacity: 1,
        rim: Math.min(1.2, 0.22 * chosenRadius),
        edge: 1,
        ink,
      });
    this.context.putImageData(this.image, 0, 0);
  }

  createImage(width, height) {
    this.image = this.context.createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.stamps.clear(); // their offsets are valid for one width only
  }

  // Draws the points one after another with one radius, opacity and edge. A style is a colour and a shape in four
  // bytes.
  drawPass({ styles, screenPoints, eye, ratio }, points, { radius, opacity, rim, edge, ink }) {
    const palettes = new Map();
    const alpha = Math.round(256 * opacity);
    const stamps = this.getStamps(rim * ratio);
    for (const point of points) {
      const style = styles[point];
      const perspective = eye ? eye / (eye - screenPoints[3 * point + 2]) : 1;
      let palette = palettes.get(style);
      if (!palette) palettes.set(style, (palette = createShades(style, ink, edge)));
      // Coordinates in steps of a quarter pixel: the lowest two bits are the place within the pixel.
      const x = Math.round(screenPoints[3 * point] * ratio * SUBPIXELS);
      const y = Math.round(screenPoints[3 * point + 1] * ratio * SUBPIXELS);
      const quarters = Math.round(4 * radius * perspective * ratio);
      const phase = SUBPIXELS * (y & (SUBPIXELS - 1)) + (x & (SUBPIXELS - 1));
      // One number for radius, place within the pixel and shape (the highest byte of a style, less than 8).
      const key = (quarters * SUBPIXELS * SUBPIXELS + phase) * 8 + (style >>> 24);
      let stamp = stamps.get(key);
      if (!stamp)
        stamps.set(key, (stamp = createStamp(style >>> 24, quarters / 4, rim * ratio, phase, this.image.width)));
      this.drawStamp(stamp, Math.floor(x / SUBPIXELS), Math.floor(y / SUBPIXELS), palette, alpha);
    }
  }

  getStamps(rim) {
    if (this.stamps.size > 40) this.stamps.clear(); // limits the memory: each zoom adds its own stamps
    if (!this.stamps.has(rim)) this.stamps.set(rim, new Map());
    return this.stamps.get(rim);
  }

  // Mixes a stamp into the image around the pixel (x, y); `palette` has the colours, alpha is 256 for opaque.
  drawStamp({ reach, across, down, shift, cover, shade }, x, y, palette, alpha) {
    const { pixels } = this;
    const { width, height } = this.image;
    if (x < -reach || y < -reach || x >= width + reach || y >= height + reach) return;
    const isWhole = x >= reach && y >= reach && x < width - reach && y < height - reach;
    const start = y * width + x;
    const isOutside = (index) =>
      x + across[index] < 0 || x + across[index] >= width || y + down[index] < 0 || y + down[index] >= height;
    for (let index = 0; index < shift.length; index++) {
      if (!isWhole && isOutside(index)) continue;
      const pixel = start + shift[index];
      const colour = palette[shade[index]];
      const weight = (cover[index] * alpha) >> 8;
      if (weight >= 256) {
        pixels[pixel] = colour;
        continue;
      }
      const oldColour = pixels[pixel];
      const remainder = 256 - weight;
      // Red and blue at once: there are 8 free bits above each of them.
      const redBlue = ((oldColour & 0xff00ff) * remainder + (colour & 0xff00ff) * weight) >>> 8;
      const green = ((oldColour & 0xff00) * remainder + (colour & 0xff00) * weight) >>> 8;
      pixels[pixel] = 0xff000000 | (redBlue & 0xff00ff) | (green & 0xff00);
    }
  }

  dispose() {}
}

// The pixels of a shape, relative to the pixel that the point is in. `phase` says where in that pixel the point is:
// steps to the right plus SUBPIXELS times steps down.
function createStamp(shape, radius, rim, phase, width) {
  const reach = Math.ceil(1.1 * radius + 1);
  const pixels = [];
  const [right, below] = [(phase % SUBPIXELS) / SUBPIXELS, Math.floor(phase / SUBPIXELS) / SUBPIXELS];
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const distance = radius * measureOutside(shape, (x + 0.5 - right) / radius, (y + 0.5 - below) / radius);
      const cover = Math.round(256 * Math.min(1, 0.5 - distance));
      // Pixels that are covered by less than a tenth are left out, as in the shader.
      if (cover > 24)
        pixels.push([x, y, cover, Math.round(SHADE_STEPS * Math.min(1, Math.max(0, 0.5 + distance + rim)))]);
    }
  }
  const extractColumn = (index, ArrayType) => ArrayType.from(pixels, (pixel) => pixel[index]);
  return {
    reach,
    across: extractColumn(0, Int16Array),
    down: extractColumn(1, Int16Array),
    cover: extractColumn(2, Uint16Array),
    shade: extractColumn(3, Uint8Array),
    shift: Int32Array.from(pixels, ([x, y]) => y * width + x),
  };
}

// Opaque, in the order of bytes that image data has on all common machines (little-endian).
const packColour = ([red, green, blue]) => 0xff000000 | (blue << 16) | (green << 8) | red;

// The colours from a point's own (the lower three bytes of its style) to that of its edge, in SHADE_STEPS steps.
function createShades(style, ink, edge) {
  const channels = [style & 255, (style >> 8) & 255, (style >> 16) & 255];
  return Uint32Array.from({ length: SHADE_STEPS + 1 }, (_, step) =>
    packColour(
      channels.map((channel, index) => Math.round(channel + ((edge * step) / SHADE_STEPS) * (ink[index] - channel))),
    ),
  );
}

// The numbers of the points that are not chosen.
function listOthers(chosen, count) {
  const isChosen = new Uint8Array(count);
  const unchosen = new Uint32Array(count - chosen.length);
  for (const point of chosen) isChosen[point] = 1;
  for (let point = 0, index = 0; point < count; point++) if (!isChosen[point]) unchosen[index++] = point;
  return unchosen;
}

// The points in the order of drawing: as given in 2-D, far ones first in 3-D (a counting sort by depth).
function sortByDepth(camera, all) {
  if (!camera.is3d) return all;
  const screenPoints = camera.projectAll();
  const getLevel = (point) =>
    Math.min(DEPTH_LEVELS - 1, Math.max(0, Math.floor(((screenPoints[3 * point + 2] + 1.1) / 2.2) * DEPTH_LEVELS)));
  const starts = new Uint32Array(DEPTH_LEVELS + 1);
  const sorted = new Uint32Array(all.length);
  // Count the points of each level, add up to the place where each level begins, then put each point into its level.
  for (const point of all) starts[getLevel(point) + 1]++;
  for (let index = 0; index < DEPTH_LEVELS; index++) starts[index + 1] += starts[index];
  for (const point of all) sorted[starts[getLevel(point)]++] = point;
  return sorted;
}
