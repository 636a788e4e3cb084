// A mask that is painted: one byte a pixel, row by row; strokes, boxes, pieces and the steps to go back to.

const MAX_STEPS = 60;

class PaintedMask {
  constructor(side, cells) {
    this.side = side;
    this.cells = Math.min(cells, side);
    this.pixels = new Uint8Array(side * side);
    this.history = [];
    this.pieces = null;
  }

  // Runs are lengths: first of pixels that are not painted.
  static read(runs, side) {
    const pixels = new Uint8Array(side * side);
    let place = 0;
    runs.forEach((length, index) => {
      if (index % 2) pixels.fill(1, place, place + length);
      place += length;
    });
    return pixels;
  }

  get runs() {
    const runs = [];
    let value = 0;
    let length = 0;
    for (const pixel of this.pixels) {
      if (pixel !== value) {
        runs.push(length);
        length = 0;
        value = pixel;
      }
      length += 1;
    }
    return [...runs, length];
  }

  get share() {
    return this.pixels.reduce((sum, pixel) => sum + pixel, 0) / this.pixels.length;
  }

  // Pairs of a piece's number and a length, or null.
  readPieces(pairs) {
    if (!pairs) {
      this.pieces = null;
      return;
    }
    this.pieces = new Uint16Array(this.pixels.length);
    let place = 0;
    for (let index = 0; index < pairs.length; index += 2) {
      this.pieces.fill(pairs[index], place, place + pairs[index + 1]);
      place += pairs[index + 1];
    }
  }

  get pieceCount() {
    return this.pieces.reduce((most, piece) => Math.max(most, piece), 0) + 1;
  }

  isPiecePainted(number) {
    return Boolean(this.pixels[this.pieces.indexOf(number)]);
  }

  togglePiece(number) {
    const value = this.isPiecePainted(number) ? 0 : 1;
    this.keepStep();
    this.paintPieces(new Set([number]), value);
  }

  keepStep() {
    this.history.push(this.pixels.slice());
    if (this.history.length > MAX_STEPS) this.history.shift();
  }

  // A stroke that has changed nothing is no step.
  dropEmptyStep() {
    const last = this.history.at(-1);
    if (!last || last.some((pixel, place) => pixel !== this.pixels[place])) return true;
    this.history.pop();
    return false;
  }

  stepBack() {
    const last = this.history.pop();
    if (last) this.pixels = last;
    return Boolean(last);
  }

  adopt(pixels) {
    if (this.pixels.some((pixel, place) => pixel !== pixels[place])) {
      this.keepStep();
      this.pixels = pixels;
    }
  }

  clear() {
    this.keepStep();
    this.pixels = new Uint8Array(this.pixels.length);
    return this.dropEmptyStep();
  }

  isInside(column, row) {
    return column >= 0 && row >= 0 && column < this.side && row < this.side;
  }

  at(column, row) {
    return this.pixels[row * this.side + column];
  }

  pieceAt(column, row) {
    return this.pieces[row * this.side + column];
  }

  paintPieces(numbers, value) {
    this.pieces.forEach((piece, place) => {
      if (numbers.has(piece)) this.pixels[place] = value;
    });
  }

  // A disc along the way between two places; of pieces, those on the way.
  paintStroke(from, to, radius, value) {
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(to[0] - from[0], to[1] - from[1])));
    const touched = new Set();
    for (let step = 0; step <= steps; step += 1) {
      const [x, y] = [0, 1].map((axis) => from[axis] + ((to[axis] - from[axis]) * step) / steps);
      if (!this.pieces) this.paintDisc(x, y, radius, value);
      else if (this.isInside(Math.floor(x), Math.floor(y))) touched.add(this.pieceAt(Math.floor(x), Math.floor(y)));
    }
    if (touched.size) this.paintPieces(touched, value);
  }

  paintDisc(x, y, radius, value) {
    for (let row = Math.max(0, Math.floor(y - radius)); row <= Math.min(this.side - 1, y + radius); row += 1) {
      for (let column = Math.max(0, Math.floor(x - radius)); column <= Math.min(this.side - 1, x + radius); column += 1) {
        if (Math.hypot(column + 0.5 - x, row + 0.5 - y) <= radius) this.pixels[row * this.side + column] = value;
      }
    }
    // A thin brush still paints the pixel that it stands on.
    if (this.isInside(Math.floor(x), Math.floor(y))) this.pixels[Math.floor(y) * this.side + Math.floor(x)] = value;
  }

  // Corners are places in pixels; the pixels that the box touches are in it.
  paintBox(from, to, value) {
    const [low, high] = [Math.min, Math.max].map((choose) => [0, 1].map((axis) => choose(from[axis], to[axis])));
    const [left, top] = low.map((place) => Math.max(0, Math.floor(place)));
    const [right, bottom] = high.map((place) => Math.min(this.side, Math.ceil(place)));
    const touched = new Set();
    for (let row = top; row < bottom; row += 1) {
      for (let column = left; column < right; column += 1) {
        if (this.pieces) touched.add(this.pieceAt(column, row));
        else this.pixels[row * this.side + column] = value;
      }
    }
    if (touched.size) this.paintPieces(touched, value);
  }

  // Corners of a cell of the keyboard's grid, (left, top) and (right, bottom).
  cellBox(column, row) {
    const edge = (cell) => Math.floor((cell * this.side) / this.cells);
    return [[edge(column), edge(row)], [edge(column + 1), edge(row + 1)]];
  }

  isCellPainted(column, row) {
    const [from, to] = this.cellBox(column, row);
    return Boolean(this.at(...[0, 1].map((axis) => Math.floor((from[axis] + to[axis]) / 2))));
  }

  toggleCell(column, row) {
    const value = this.isCellPainted(column, row) ? 0 : 1;
    this.keepStep();
    this.paintBox(...this.cellBox(column, row), value);
  }
}
