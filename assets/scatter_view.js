// Where points are on the screen: the camera, the nearest point, the next point in a direction, the points inside a
// line. Must come before scatter.js, which uses it. Lengths on the screen are in CSS pixels.

const IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0, 1]; // a 3 × 3 rotation matrix, row by row
const EYE_DISTANCE = 3; // distance of the eye from the middle of a 3-D map, in radii of the map
const MAX_ZOOM = 400;
const MIN_ZOOM = 0.5;

const multiplyMatrices = (a, b) =>
  a.map((_, index) => [0, 1, 2].reduce((sum, k) => sum + a[3 * Math.floor(index / 3) + k] * b[3 * k + (index % 3)], 0));

// Rotation by yaw (around the vertical axis), then pitch (around the horizontal axis), in radians.
function createRotation(yaw, pitch) {
  const [cosYaw, sinYaw, cosPitch, sinPitch] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  return multiplyMatrices(
    [1, 0, 0, 0, cosPitch, -sinPitch, 0, sinPitch, cosPitch],
    [cosYaw, 0, sinYaw, 0, 1, 0, -sinYaw, 0, cosYaw],
  );
}

// Moves the points to the origin and scales them: in 3-D into the unit ball, in 2-D to a longer side of 2.
// `normalizePoint` of the result does the same to one more point.
function normalizePoints(raw, axes) {
  const count = raw.length / axes;
  const lows = [Infinity, Infinity, Infinity];
  const highs = [-Infinity, -Infinity, -Infinity];
  raw.forEach((value, index) => {
    if (value < lows[index % axes]) lows[index % axes] = value;
    if (value > highs[index % axes]) highs[index % axes] = value;
  });
  // 0 for an axis that the data does not have, or that has no numbers.
  const middle = lows.map((value, axis) => (axis < axes && value <= highs[axis] ? (value + highs[axis]) / 2 : 0));
  const positions = new Float32Array(3 * count);
  let radius = 0;
  for (let index = 0; index < count; index++) {
    for (let axis = 0; axis < axes; axis++) positions[3 * index + axis] = raw[axes * index + axis] - middle[axis];
    const distance = Math.hypot(positions[3 * index], positions[3 * index + 1], positions[3 * index + 2]);
    if (distance > radius) radius = distance;
  }
  // "|| 1": points that are all at one place must not be divided by zero.
  const scale = axes === 3 ? radius || 1 : Math.max(highs[0] - lows[0], highs[1] - lows[1], 0) / 2 || 1;
  for (let index = 0; index < positions.length; index++) positions[index] /= scale;
  // At least 0.05, so that points in a row are not magnified without limit.
  const getHalfExtent = (axis) => Math.max((highs[axis] - lows[axis]) / 2 / scale, 0.05) || 0.05;
  return {
    count,
    axes,
    positions,
    extent: axes === 3 ? [1.1, 1.1] : [getHalfExtent(0), getHalfExtent(1)],
    normalizePoint: (point) => [0, 1, 2].map((axis) => (axis < axes ? (point[axis] - middle[axis]) / scale : 0)),
  };
}

// `zoom` and `centre` say what part is shown; `stale` says that screenPoints are those of an earlier view.
class Camera {
  constructor(cloud) {
    this.cloud = cloud;
    this.screenPoints = new Float32Array(3 * cloud.count);
    this.width = this.height = 1;
    this.resetView();
  }

  get is3d() {
    return this.cloud.axes === 3;
  }

  // At zoom 1 all points fit, with a margin of 14 pixels for the dots at the border.
  get pixelsPerUnit() {
    return (
      this.zoom *
      Math.max(1, Math.min((this.width / 2 - 14) / this.cloud.extent[0], (this.height / 2 - 14) / this.cloud.extent[1]))
    );
  }

  resetView() {
    this.zoom = 1;
    this.centre = [0, 0];
    this.rotation = this.is3d ? createRotation(-0.5, 0.35) : IDENTITY;
    this.stale = true;
  }

  resize(width, height) {
    Object.assign(this, { width, height, stale: true });
  }

  pan(across, down) {
    this.centre = [this.centre[0] - across / this.pixelsPerUnit, this.centre[1] + down / this.pixelsPerUnit];
    this.stale = true;
  }

  rotate(across, down) {
    this.rotation = multiplyMatrices(createRotation(across / 160, down / 160), this.rotation);
    this.stale = true;
  }

  // The place under (x, y) stays where it is.
  zoomBy(factor, x = this.width / 2, y = this.height / 2) {
    const right = x - this.width / 2;
    const down = y - this.height / 2;
    const oldUnit = this.pixelsPerUnit;
    this.zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, this.zoom * factor));
    // The distance from the middle to (x, y) has another length in units now: move the centre by the difference.
    const shift = 1 / oldUnit - 1 / this.pixelsPerUnit;
    this.centre = [this.centre[0] + right * shift, this.centre[1] - down * shift];
    this.stale = true;
  }

  // Screen position and nearness to the eye of one normalized point.
  projectPoint([x, y, z]) {
    const t = this.rotation;
    const nearness = t[6] * x + t[7] * y + t[8] * z;
    const perspective = this.is3d ? EYE_DISTANCE / (EYE_DISTANCE - nearness) : 1;
    const across = (t[0] * x + t[1] * y + t[2] * z) * perspective;
    const up = (t[3] * x + t[4] * y + t[5] * z) * perspective;
    return [
      this.width / 2 + (across - this.centre[0]) * this.pixelsPerUnit,
      this.height / 2 - (up - this.centre[1]) * this.pixelsPerUnit,
      nearness,
    ];
  }

  // The same for all points: x, y, nearness, x, y, … Does not call projectPoint, for speed: it may run in every frame.
  projectAll() {
    if (!this.stale) return this.screenPoints;
    const { positions } = this.cloud;
    const { screenPoints, rotation: t, is3d, pixelsPerUnit } = this;
    const left = this.width / 2 - this.centre[0] * pixelsPerUnit;
    const top = this.height / 2 + this.centre[1] * pixelsPerUnit;
    for (let index = 0; index < positions.length; index += 3) {
      const x = positions[index];
      const y = positions[index + 1];
      const z = positions[index + 2];
      const nearness = t[6] * x + t[7] * y + t[8] * z;
      const scale = is3d ? (pixelsPerUnit * EYE_DISTANCE) / (EYE_DISTANCE - nearness) : pixelsPerUnit;
      screenPoints[index] = left + (t[0] * x + t[1] * y + t[2] * z) * scale;
      screenPoints[index + 1] = top - (t[3] * x + t[4] * y + t[5] * z) * scale;
      screenPoints[index + 2] = nearness;
    }
    this.stale = false;
    return screenPoints;
  }

  isVisible(x, y) {
    return x >= 0 && y >= 0 && x <= this.width && y <= this.height;
  }

  // The number of the point nearest to (x, y), at most maxDistance away; of several at one place the one in front.
  // -1 for none.
  findNearest(x, y, maxDistance) {
    const screenPoints = this.projectAll();
    let best = -1;
    // Distances are compared as squares.
    let leastDistance = maxDistance * maxDistance;
    let bestNearness = -Infinity;
    for (let index = 0; index < screenPoints.length; index += 3) {
      const across = screenPoints[index] - x;
      const down = screenPoints[index + 1] - y;
      const distance = across * across + down * down;
      if (distance > leastDistance || (distance === leastDistance && screenPoints[index + 2] <= bestNearness)) continue;
      [best, leastDistance, bestNearness] = [index / 3, distance, screenPoints[index + 2]];
    }
    return best;
  }

  // The next point from `from` in a direction ([1, 0] is right, [0, 1] is down): close, and straight ahead rather than
  // to the side. -1 for none.
  findNext(from, [right, down]) {
    const screenPoints = this.projectAll();
    const x = screenPoints[3 * from];
    const y = screenPoints[3 * from + 1];
    let best = -1;
    let leastCost = Infinity;
    for (let index = 0; index < screenPoints.length; index += 3) {
      const across = screenPoints[index] - x;
      const below = screenPoints[index + 1] - y;
      const ahead = across * right + below * down;
      const aside = Math.abs(across * down - below * right);
      // Skip what is behind or more than 63 degrees off the direction.
      if (!(ahead > 0.01) || aside > 2 * ahead) continue;
      const cost = ahead * ahead + 4 * aside * aside;
      if (cost < leastCost) [best, leastCost] = [index / 3, cost];
    }
    return best;
  }

  // The `count` points nearest to a point, itself among them.
  findAround(from, count) {
    const screenPoints = this.projectAll();
    const x = screenPoints[3 * from];
    const y = screenPoints[3 * from + 1];
    const getDistance = (point) => Math.hypot(screenPoints[3 * point] - x, screenPoints[3 * point + 1] - y);
    return Array.from({ length: this.cloud.count }, (_, point) => point)
      .sort((a, b) => getDistance(a) - getDistance(b))
      .slice(0, count);
  }

  // The points inside a closed line of [x, y] corners, by the even-odd rule.
  findInside(polygon) {
    const screenPoints = this.projectAll();
    const points = [];
    const [left, right] = [Math.min(...polygon.map(([x]) => x)), Math.max(...polygon.map(([x]) => x))];
    const [top, bottom] = [Math.min(...polygon.map(([, y]) => y)), Math.max(...polygon.map(([, y]) => y))];
    for (let index = 0; index < screenPoints.length; index += 3) {
      const x = screenPoints[index];
      const y = screenPoints[index + 1];
      // Outside of the polygon's box: no need to look at its sides.
      if (x < left || x > right || y < top || y > bottom) continue;
      let isInside = false;
      for (let corner = 0, previous = polygon.length - 1; corner < polygon.length; previous = corner++) {
        const [ax, ay] = polygon[corner];
        const [bx, by] = polygon[previous];
        // A ray to the right crosses this side.
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) isInside = !isInside;
      }
      if (isInside) points.push(index / 3);
    }
    return points;
  }
}
