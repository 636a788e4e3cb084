// Where points stand on the screen: the camera, the nearest point, the next point in a direction, what a drawn line encloses.
// Read before scatter.js, which uses these. Lengths on the screen are CSS pixels.

const STRAIGHT = [1, 0, 0, 0, 1, 0, 0, 0, 1]; // a 3 × 3 turn, row by row
const EYE = 3; // distance of the eye in radii of a 3-D map
const CLOSEST = 400, FARTHEST = 0.5;

const times = (a, b) => a.map((_, at) => [0, 1, 2].reduce((sum, k) => sum + a[3 * Math.floor(at / 3) + k] * b[3 * k + (at % 3)], 0));

function turned(across, up) {
  const [c, s, d, t] = [Math.cos(across), Math.sin(across), Math.cos(up), Math.sin(up)];
  return times([1, 0, 0, 0, d, -t, 0, t, d], [c, 0, s, 0, 1, 0, -s, 0, c]);
}

// Points moved to the middle and, in 3-D, into the unit ball. `put` does the same to one more point.
function framed(raw, axes) {
  const count = raw.length / axes, low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
  raw.forEach((value, at) => {
    if (value < low[at % axes]) low[at % axes] = value;
    if (value > high[at % axes]) high[at % axes] = value;
  });
  const middle = low.map((value, axis) => (axis < axes && value <= high[axis] ? (value + high[axis]) / 2 : 0));
  const places = new Float32Array(3 * count);
  let ball = 0;
  for (let at = 0; at < count; at++) {
    for (let axis = 0; axis < axes; axis++) places[3 * at + axis] = raw[axes * at + axis] - middle[axis];
    const far = Math.hypot(places[3 * at], places[3 * at + 1], places[3 * at + 2]);
    if (far > ball) ball = far;
  }
  const size = axes === 3 ? ball || 1 : Math.max(high[0] - low[0], high[1] - low[1], 0) / 2 || 1;
  for (let at = 0; at < places.length; at++) places[at] /= size;
  const half = (axis) => Math.max((high[axis] - low[axis]) / 2 / size, 0.05) || 0.05;
  return { count, axes, places, reach: axes === 3 ? [1.1, 1.1] : [half(0), half(1)], put: (point) => [0, 1, 2].map((axis) => (axis < axes ? (point[axis] - middle[axis]) / size : 0)) };
}

class Camera {
  constructor(cloud) {
    this.cloud = cloud;
    this.spots = new Float32Array(3 * cloud.count);
    this.width = this.height = 1;
    this.home();
  }

  get solid() { return this.cloud.axes === 3; }

  // Pixels of one unit: at zoom 1 all points fit with room for the outermost.
  get unit() { return this.zoom * Math.max(1, Math.min((this.width / 2 - 14) / this.cloud.reach[0], (this.height / 2 - 14) / this.cloud.reach[1])); }

  home() {
    this.zoom = 1;
    this.centre = [0, 0];
    this.turn = this.solid ? turned(-0.5, 0.35) : STRAIGHT;
    this.stale = true;
  }

  resize(width, height) {
    Object.assign(this, { width, height, stale: true });
  }

  pan(across, down) {
    this.centre = [this.centre[0] - across / this.unit, this.centre[1] + down / this.unit];
    this.stale = true;
  }

  rotate(across, down) {
    this.turn = times(turned(across / 160, down / 160), this.turn);
    this.stale = true;
  }

  // The place under (x, y) stays under it.
  magnify(factor, x = this.width / 2, y = this.height / 2) {
    const right = x - this.width / 2, down = y - this.height / 2, before = this.unit;
    this.zoom = Math.min(CLOSEST, Math.max(FARTHEST, this.zoom * factor));
    const gain = 1 / before - 1 / this.unit;
    this.centre = [this.centre[0] + right * gain, this.centre[1] - down * gain];
    this.stale = true;
  }

  // Screen place and nearness of one framed point.
  spot([x, y, z]) {
    const t = this.turn, near = t[6] * x + t[7] * y + t[8] * z, lens = this.solid ? EYE / (EYE - near) : 1;
    const across = (t[0] * x + t[1] * y + t[2] * z) * lens, up = (t[3] * x + t[4] * y + t[5] * z) * lens;
    return [this.width / 2 + (across - this.centre[0]) * this.unit, this.height / 2 - (up - this.centre[1]) * this.unit, near];
  }

  // The same for all points: x, y, nearness, x, y, … Written out, because it runs in every frame in which one can point.
  project() {
    if (!this.stale) return this.spots;
    const { places } = this.cloud, { spots, turn: t, solid, unit } = this, left = this.width / 2 - this.centre[0] * unit, top = this.height / 2 + this.centre[1] * unit;
    for (let at = 0; at < places.length; at += 3) {
      const x = places[at], y = places[at + 1], z = places[at + 2];
      const near = t[6] * x + t[7] * y + t[8] * z, scale = solid ? (unit * EYE) / (EYE - near) : unit;
      spots[at] = left + (t[0] * x + t[1] * y + t[2] * z) * scale;
      spots[at + 1] = top - (t[3] * x + t[4] * y + t[5] * z) * scale;
      spots[at + 2] = near;
    }
    this.stale = false;
    return spots;
  }

  sees(x, y) { return x >= 0 && y >= 0 && x <= this.width && y <= this.height; }

  // The number of the point nearest to (x, y), at most `reach` away; of several at one place the one in front. -1 for none.
  nearest(x, y, reach) {
    const spots = this.project();
    let best = -1, least = reach * reach, front = -Infinity;
    for (let at = 0; at < spots.length; at += 3) {
      const across = spots[at] - x, down = spots[at + 1] - y, far = across * across + down * down;
      if (far > least || (far === least && spots[at + 2] <= front)) continue;
      [best, least, front] = [at / 3, far, spots[at + 2]];
    }
    return best;
  }

  // The next point from `from` in a direction ([1, 0] is right, [0, 1] is down): near, and rather straight ahead than aside. -1 for none.
  next(from, [right, down]) {
    const spots = this.project(), x = spots[3 * from], y = spots[3 * from + 1];
    let best = -1, least = Infinity;
    for (let at = 0; at < spots.length; at += 3) {
      const across = spots[at] - x, below = spots[at + 1] - y, ahead = across * right + below * down, aside = Math.abs(across * down - below * right);
      if (!(ahead > 0.01) || aside > 2 * ahead) continue;
      const cost = ahead * ahead + 4 * aside * aside;
      if (cost < least) [best, least] = [at / 3, cost];
    }
    return best;
  }

  around(from, count) {
    const spots = this.project(), x = spots[3 * from], y = spots[3 * from + 1];
    const far = (point) => Math.hypot(spots[3 * point] - x, spots[3 * point + 1] - y);
    return Array.from({ length: this.cloud.count }, (_, point) => point).sort((a, b) => far(a) - far(b)).slice(0, count);
  }

  // The points inside a closed line of [x, y] corners, by the even-odd rule.
  inside(line) {
    const spots = this.project(), found = [];
    const [left, right] = [Math.min(...line.map(([x]) => x)), Math.max(...line.map(([x]) => x))];
    const [top, bottom] = [Math.min(...line.map(([, y]) => y)), Math.max(...line.map(([, y]) => y))];
    for (let at = 0; at < spots.length; at += 3) {
      const x = spots[at], y = spots[at + 1];
      if (x < left || x > right || y < top || y > bottom) continue;
      let within = false;
      for (let here = 0, last = line.length - 1; here < line.length; last = here++) {
        const [ax, ay] = line[here], [bx, by] = line[last];
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within;
      }
      if (within) found.push(at / 3);
    }
    return found;
  }
}
