// A picture that is painted on with a brush, a box or the keyboard. The server gets the mask when the brush is lifted.
// pages/ui/what_if/brush.py puts this file behind component.js and brush_mask.js.

const KEY_DELAY = 400; // milliseconds after the last key until the mask is sent
const MIN_DRAWN = 560; // pixels of the canvas along a side
const TOOLS = { brush: "Brush", box: "Box", eraser: "Eraser" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SHADES = [[22, 24, 34], [74, 78, 96]]; // two stripes over what is hidden
const COVERS = { hide: 225, keep: 165 }; // of 255: what may still be kept must be seen
const LINE = [255, 255, 255, 150]; // between pieces
const MARKED_LINE = [255, 214, 10, 255]; // around the piece that the keyboard is on

class Brush {
  constructor(parent) {
    this.tool = "brush";
    this.cell = [0, 0];
    this.piece = 0;
    this.canvas = createElement("canvas", {
      tabindex: 0,
      role: "application",
      "aria-roledescription": "picture to paint on",
      onpointerdown: (event) => this.begin(event),
      onpointermove: (event) => this.move(event),
      onpointerup: () => this.lift(),
      onpointercancel: () => this.lift(),
      onpointerleave: () => this.leave(),
      onkeydown: (event) => this.press(event),
      onblur: () => this.showCell(false),
    });
    this.size = createElement("input", { type: "range", min: 1, oninput: () => this.draw() });
    this.sizeField = createElement("label", { class: "size" }, createElement("span", { text: "Brush size" }), this.size);
    this.undo = createElement("button", { type: "button", text: "Undo", onclick: () => this.stepBack() });
    this.empty = createElement("button", { type: "button", text: "Clear", onclick: () => this.clear() });
    this.said = createElement("p", { class: "said", role: "status" });
    const tools = Object.entries(TOOLS).map(([name, text]) => this.createTool(name, text));
    const choice = createElement("div", { class: "tools", role: "radiogroup", "aria-label": "Tool" }, ...tools);
    const bar = createElement("div", { class: "bar" }, choice, this.undo, this.empty, this.sizeField);
    this.help = createElement("p", { class: "help" });
    this.node = createElement("div", { class: "brush" }, bar, this.canvas, this.said, this.help);
    this.image = new Image();
    this.image.onload = () => this.draw();
    this.veil = document.createElement("canvas");
    parent.append(this.node);
  }

  createTool(name, text) {
    const input = createElement("input", {
      type: "radio",
      name: "tool",
      value: name,
      checked: name === this.tool ? "" : null,
      onchange: () => {
        this.tool = name;
        this.draw();
      },
    });
    return createElement("label", {}, input, createElement("span", { text }));
  }

  update(data, send) {
    this.send = send;
    this.keep = data.keep;
    if (this.picture !== data.picture || this.mask.side !== data.side) this.open(data);
    if (this.pairs !== JSON.stringify(data.pieces)) {
      this.piece = 0;
      this.said.textContent = "";
      this.pairs = JSON.stringify(data.pieces);
      this.mask.readPieces(data.pieces);
      this.sizeField.hidden = Boolean(data.pieces);
    }
    // The server's own mask, such as one from a map; what was painted here is already here.
    if (this.version !== data.version) {
      if (this.version === undefined) this.mask.pixels = PaintedMask.read(data.runs, data.side);
      else this.mask.adopt(PaintedMask.read(data.runs, data.side));
      this.version = data.version;
      this.said.textContent = "";
    }
    this.help.textContent = data.pieces
      ? "Keyboard: arrow keys move from piece to piece, space paints a piece or takes it back, U undoes."
      : `Keyboard: arrow keys move over ${this.mask.cells} × ${this.mask.cells} cells, space paints a cell or takes ` +
        "it back, U undoes.";
    this.canvas.setAttribute("aria-label", `${data.alt} ${this.help.textContent}`);
    this.draw();
  }

  // A new picture has no steps to go back to.
  open(data) {
    this.picture = data.picture;
    this.mask = new PaintedMask(data.side, data.cells);
    this.version = this.pairs = undefined;
    this.cell = this.cell.map((place) => Math.min(place, this.mask.cells - 1));
    this.image.src = data.picture;
    this.scale = Math.ceil(MIN_DRAWN / data.side);
    this.canvas.width = this.canvas.height = this.scale * data.side;
    this.veil.width = this.veil.height = data.side;
    this.size.max = Math.ceil(data.side / 3);
    this.size.value = Math.max(1, Math.round(data.side / 8));
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * this.mask.side, ((event.clientY - box.top) / box.height) * this.mask.side];
  }

  get radius() {
    return Number(this.size.value) / 2;
  }

  begin(event) {
    if (event.button) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.showCell(false);
    this.said.textContent = "";
    this.canvas.setPointerCapture(event.pointerId);
    this.from = this.to = this.place(event);
    this.mask.keepStep();
    this.value = this.tool === "eraser" ? 0 : 1;
    const [column, row] = this.from.map((place) => Math.max(0, Math.min(this.mask.side - 1, Math.floor(place))));
    // A piece that is painted already is taken back by touching it.
    if (this.mask.pieces && this.tool === "brush") this.value = this.mask.at(column, row) ? 0 : 1;
    if (this.tool !== "box") this.mask.paintStroke(this.from, this.to, this.radius, this.value);
    this.draw();
  }

  move(event) {
    this.pointer = this.place(event);
    if (this.from) {
      this.to = this.pointer;
      if (this.tool !== "box") {
        this.mask.paintStroke(this.from, this.to, this.radius, this.value);
        this.from = this.to;
      }
    }
    this.draw();
  }

  leave() {
    this.pointer = null;
    this.draw();
  }

  lift() {
    if (!this.from) return;
    if (this.tool === "box") this.mask.paintBox(this.from, this.to, 1);
    this.from = null;
    if (this.mask.dropEmptyStep()) this.post();
    this.draw();
  }

  press(event) {
    const step = ARROWS[event.key];
    if (step) {
      this.step(step);
      this.showCell(true);
      this.tell();
    } else if (event.key === " " || event.key === "Enter") {
      if (this.mask.pieces) this.mask.togglePiece(this.piece);
      else this.mask.toggleCell(...this.cell);
      this.showCell(true);
      this.tell();
      this.postSoon();
    } else if (event.key.toLowerCase() === "u" || (event.key === "z" && (event.ctrlKey || event.metaKey))) this.stepBack();
    else return;
    event.preventDefault();
  }

  // Pieces are numbered from the top left: across to the next one, down by about a row of them.
  step([across, down]) {
    const { mask } = this;
    if (mask.pieces) {
      const count = mask.pieceCount;
      const next = this.piece + across + down * Math.round(Math.sqrt(count));
      this.piece = Math.max(0, Math.min(count - 1, next));
    } else this.cell = [across, down].map((way, axis) => Math.max(0, Math.min(mask.cells - 1, this.cell[axis] + way)));
  }

  showCell(shown) {
    this.isCellShown = shown;
    this.draw();
  }

  tell() {
    const { mask } = this;
    const isPainted = mask.pieces ? mask.isPiecePainted(this.piece) : mask.isCellPainted(...this.cell);
    const place = mask.pieces
      ? `Piece ${this.piece + 1} of ${mask.pieceCount}`
      : `Row ${this.cell[1] + 1}, column ${this.cell[0] + 1}`;
    this.said.textContent = `${place}: ${isPainted !== this.keep ? "hidden" : "visible"}`;
  }

  stepBack() {
    if (!this.mask.stepBack()) return;
    this.said.textContent = "The last step is undone.";
    this.post();
    this.draw();
  }

  clear() {
    this.said.textContent = "";
    if (this.mask.clear()) this.post();
    this.draw();
  }

  postSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.post(), KEY_DELAY);
  }

  post() {
    clearTimeout(this.timer);
    this.send({ side: this.mask.side, runs: this.mask.runs });
  }

  draw() {
    if (this.frame || !this.mask) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      this.paint();
    });
  }

  paint() {
    const { mask, scale } = this;
    const context = this.canvas.getContext("2d");
    context.imageSmoothingEnabled = mask.side > 64;
    context.drawImage(this.image, 0, 0, this.canvas.width, this.canvas.height);
    context.imageSmoothingEnabled = false;
    this.veil.getContext("2d").putImageData(this.shade(), 0, 0);
    context.drawImage(this.veil, 0, 0, this.canvas.width, this.canvas.height);
    if (this.from && this.tool === "box") this.outline(context, this.from, this.to);
    if (this.isCellShown && !mask.pieces) this.outline(context, ...mask.cellBox(...this.cell));
    else if (this.pointer && this.tool !== "box" && !mask.pieces) {
      context.beginPath();
      context.arc(this.pointer[0] * scale, this.pointer[1] * scale, this.radius * scale, 0, 2 * Math.PI);
      this.strokeTwice(context);
    }
    this.undo.disabled = !mask.history.length;
    this.empty.disabled = !mask.share;
    this.canvas.dataset.share = mask.share.toFixed(4);
  }

  shade() {
    const { side, pixels, pieces } = this.mask;
    const data = new ImageData(side, side);
    const wide = side > 64 ? 4 : 1;
    const shades = SHADES.map((shade) => [...shade, this.keep ? COVERS.keep : COVERS.hide]);
    for (let place = 0; place < pixels.length; place += 1) {
      const [row, column] = [Math.floor(place / side), place % side];
      const right = column + 1 < side && pieces && pieces[place] !== pieces[place + 1];
      const below = row + 1 < side && pieces && pieces[place] !== pieces[place + side];
      if (right || below) {
        const beside = [0, right ? 1 : 0, below ? side : 0];
        const isMarked = this.isCellShown && beside.some((way) => pieces[place + way] === this.piece);
        data.data.set(isMarked ? MARKED_LINE : LINE, 4 * place);
      } else if (Boolean(pixels[place]) !== this.keep) data.data.set(shades[Math.floor((row + column) / wide) % 2], 4 * place);
    }
    return data;
  }

  outline(context, from, to) {
    context.beginPath();
    context.rect(...from.map((place) => place * this.scale), ...[0, 1].map((axis) => (to[axis] - from[axis]) * this.scale));
    this.strokeTwice(context);
  }

  // Seen on dark and on light pictures.
  strokeTwice(context) {
    for (const [width, colour] of [[5, "#111"], [2, "#fff"]]) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke();
    }
  }

  dispose() {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    this.node.remove();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  return mountComponent(
    parentElement,
    () => new Brush(parentElement),
    (brush) => brush.update(data, (message) => setTriggerValue("painted", message)),
  );
}
