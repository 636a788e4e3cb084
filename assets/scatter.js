// A map of pictures: one point a picture. Moving, turning, zooming, pointing and drawing a line around points happen here; the server
// only hears what was chosen. All words from data enter as text, never as markup. Joined behind the other scatter files
// by pages/ui/imageset/scatter.py.

const DWELL = 125; // milliseconds until a point shows its picture
const CARD = 96; // side of that picture, CSS pixels
const PATIENCE = 5000; // milliseconds after which the server's choice counts again, whatever was sent
const MOUSE_WORDS = {
  move: ["Drag to move, wheel to zoom. Shift and drag draws a line around points.", "Drag to turn, wheel to zoom. Shift and drag draws a line around points."],
  lasso: ["Draw a line around points.", "Draw a line around points."],
  end: "Click a point to choose it.",
};
const FINGER_WORDS = { ...MOUSE_WORDS, move: ["Two fingers move and zoom.", "One finger sideways turns, two fingers move and zoom."], end: "Tap a point to choose it." };
const KEYS = "Arrow keys go from point to point, Enter chooses one, Space chooses those around it, Escape chooses none, plus and minus zoom.";
// The corners of the shapes in the legend, in radii; 0 is a circle.
const CORNERS = {
  1: [[-0.86, -0.86], [0.86, -0.86], [0.86, 0.86], [-0.86, 0.86]],
  2: [[0, -1.1], [0.95, 0.55], [-0.95, 0.55]],
  3: [[0, -1.1], [1.1, 0], [0, 1.1], [-1.1, 0]],
  4: [[-0.34, -1], [0.34, -1], [0.34, -0.34], [1, -0.34], [1, 0.34], [0.34, 0.34], [0.34, 1], [-0.34, 1], [-0.34, 0.34], [-1, 0.34], [-1, -0.34], [-0.34, -0.34]],
};
const cameras = new Map(); // where a visitor had gone on a map, for when the page comes back

function drawn(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

async function fetched(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error("Its points are no longer on the server. Reload the page.");
  return answer.arrayBuffer();
}

// One bit a point, the first in the lowest bit of the first byte.
function packed(points, count) {
  const bits = new Uint8Array(Math.ceil(count / 8));
  for (const point of points) bits[point >> 3] |= 1 << (point & 7);
  let text = "";
  for (const byte of bits) text += String.fromCharCode(byte);
  return btoa(text);
}

function unpacked(text) {
  const bits = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)), points = [];
  bits.forEach((byte, at) => { for (let bit = 0; byte >> bit; bit++) if ((byte >> bit) & 1) points.push(8 * at + bit); });
  return Uint32Array.from(points);
}

class Scatter {
  constructor(parent) {
    this.chosen = new Uint32Array();
    this.serial = this.sent = 0;
    this.here = -1; // the point under the mouse, a finger or the keys
    this.tool = "move";
    this.loaded = {};
    this.build(parent);
    this.hands = new Hands(this);
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.stage);
  }

  build(parent) {
    const name = "tool" + Math.random().toString(36).slice(2, 8);
    const tool = (value) => make("label", {}, make("input", { type: "radio", name, value, onchange: () => this.take_up(value) }), make("span"));
    const button = (text, label, act) => make("button", { type: "button", text, "aria-label": label, title: label, onclick: act });
    this.tools = make("div", { class: "choices", role: "radiogroup", "aria-label": "What dragging does" }, tool("move"), tool("lasso"));
    this.count = make("span", { class: "soft", role: "status" });
    this.none = make("button", { type: "button", text: "Choose none", onclick: () => this.choose("clear", []) });
    this.bar = make("div", { class: "bar" }, this.tools,
      make("div", { class: "zoom" }, button("−", "Zoom out", () => this.move(() => this.camera.magnify(1 / 1.5))),
        button("+", "Zoom in", () => this.move(() => this.camera.magnify(1.5))), make("button", { type: "button", text: "Show all", onclick: () => this.move(() => this.camera.home()) })),
      make("div", { class: "end" }, this.count, this.none));
    this.ring = drawn("circle", { class: "ring", r: 0 });
    this.line = drawn("polygon", { class: "line" });
    this.star = drawn("g", { class: "star" }, drawn("path", { d: "M0-11 3-3.6 10.5-3.4 4.5 1.5 6.6 9 0 4.6-6.6 9-4.5 1.5-10.5-3.4-3-3.6Z" }), drawn("text", { y: 24, "text-anchor": "middle" }));
    this.sketch = drawn("svg", { "aria-hidden": "true" }, this.line, this.ring, this.star);
    this.sheet = make("img", { alt: "", onerror: () => this.unseen() });
    this.thumb = make("div", { class: "thumb" }, this.sheet);
    this.words = make("div", { class: "words" });
    this.card = make("div", { class: "card", hidden: "" }, this.thumb, this.words);
    this.hint = make("div", { class: "hint", hidden: "" });
    this.stage = make("div", { class: "stage", tabindex: 0, role: "application", "aria-roledescription": "map of pictures" }, this.sketch, this.card, this.hint);
    this.fault = make("p", { role: "alert", hidden: "" });
    this.said = make("div", { class: "hidden", role: "status" });
    this.how = make("p", { class: "soft" });
    this.legend = make("div", { class: "legend" });
    this.node = make("div", { class: "wb" }, this.fault, this.bar, this.stage, this.said, this.how, this.legend);
    parent.append(this.node);
  }

  // ---- what comes from the server --------------------------------------------------------------------------------------------------

  async take(data, tell) {
    const turn = (this.turn = {});
    this.tell = tell;
    const need = async (name, read) => {
      const address = data[name];
      if (this.loaded[name]?.address !== address) this.loaded[name] = { address, value: await fetched(address).then(read) };
      return this.loaded[name].value;
    };
    const [raw, colours, words] = await Promise.all([
      need("points", (whole) => new Float32Array(whole)), need("colours", (whole) => new Uint8Array(whole)),
      need("words", (whole) => JSON.parse(new TextDecoder().decode(whole))),
    ]);
    if (this.turn !== turn) return; // newer data came while these were fetched
    if (this.version !== data.version) this.begin(data, framed(raw, data.axes));
    Object.assign(this, { data, colours, texts: words });
    if (data.serial >= this.serial || Date.now() - this.sent > PATIENCE) {
      this.chosen = unpacked(data.chosen);
      this.serial = Math.max(this.serial, data.serial);
    }
    this.show();
  }

  begin({ version }, cloud) {
    this.version = version;
    this.cloud = cloud;
    this.camera = cameras.get(version) ?? new Camera(cloud);
    cameras.delete(version);
    cameras.set(version, this.camera);
    if (cameras.size > 8) cameras.delete(cameras.keys().next().value);
    this.here = -1;
    this.card.hidden = true;
    this.hands.letGo();
  }

  show() {
    this.fault.hidden = true;
    const { data } = this, [move, lasso] = this.tools.querySelectorAll("span");
    move.textContent = this.camera.solid ? "Turn" : "Move";
    lasso.textContent = "Lasso";
    for (const input of this.tools.querySelectorAll("input")) input.checked = input.value === this.tool;
    this.stage.style.setProperty("--height", `${data.height}px`);
    this.stage.setAttribute("aria-label", `${data.alt} ${KEYS}`);
    this.star.style.display = data.mark ? "" : "none";
    this.star.lastChild.textContent = data.mark_words;
    this.explain();
    this.tally();
    this.list(data.legend);
    this.resize();
  }

  explain() {
    this.stage.classList.toggle("lasso", this.tool === "lasso");
const words = matchMedia("(pointer: coarse)").matches ? FINGER_WORDS : MOUSE_WORDS;
    this.how.textContent = `${words[this.tool][this.cloud.axes - 2]} ${words.end}`;
  }

  tally() {
    const all = this.cloud.count.toLocaleString("en"), some = this.chosen.length.toLocaleString("en");
    this.count.textContent = this.chosen.length ? `${some} of ${all} chosen` : `${all} pictures`;
    this.none.disabled = !this.chosen.length;
  }

  list(legend) {
    const key = JSON.stringify(legend);
    if (key === this.listed) return; // an open list stays open
    this.listed = key;
    const icon = (colour, shape) => {
      const corners = CORNERS[shape], outline = corners ? drawn("polygon", { points: corners.join(" ") }) : drawn("circle", { r: 0.95 });
      outline.setAttribute("fill", colour);
      return drawn("svg", { viewBox: "-1.3 -1.3 2.6 2.6", "aria-hidden": "true" }, outline);
    };
    const entry = ({ name, colour, shape, count }) => make("li", {}, icon(colour, shape), make("span", { text: name }), make("span", { class: "soft", text: count.toLocaleString("en") }));
    const parts = [make("div", { class: "title", text: legend.title })], first = legend.entries.slice(0, legend.shown), rest = legend.entries.slice(legend.shown);
    if (legend.ramp.length) {
      const ramp = make("i", { class: "ramp" });
      ramp.style.background = `linear-gradient(to right, ${legend.ramp.join(", ")})`;
      parts.push(make("div", { class: "scale" }, make("span", { text: legend.low }), ramp, make("span", { text: legend.high })));
    }
    if (first.length) parts.push(make("ul", {}, ...first.map(entry)));
    if (rest.length) parts.push(make("details", {}, make("summary", { text: `${rest.length.toLocaleString("en")} more` }), make("ul", {}, ...rest.map(entry))));
    this.legend.hidden = !legend.title && parts.length === 1;
    this.legend.replaceChildren(...parts);
  }

  // ---- drawing -----------------------------------------------------------------------------------------------------------------------

  // A canvas keeps its kind of context for life, so a lost one gets a new canvas.
  painter_now() {
    if (this.painter) return this.painter;
    const canvas = () => make("canvas", { "aria-hidden": "true" });
    let found = null;
    try { found = this.lost > 2 ? null : WebGlPainter.on(canvas()); } catch { /* shaders this machine cannot run */ }
    this.painter = found ?? new CanvasPainter(canvas());
    this.painter.canvas.addEventListener("webglcontextlost", () => {
      this.lost = (this.lost ?? 0) + 1;
      this.painter?.canvas.remove();
      this.painter = null;
      this.resize();
    }, { once: true });
    this.stage.prepend(this.painter.canvas);
    this.stage.dataset.painter = this.painter.name;
    return this.painter;
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (!this.camera || !width || !height) return;
    this.camera.resize(width, height);
    const painter = this.painter_now(), { canvas } = painter, ratio = Math.min(painter.constructor.finest(this.cloud.count), devicePixelRatio || 1), size = { width: Math.round(width * ratio), height: Math.round(height * ratio) };
    if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
    this.ink = this.themed("--st-text-color", "#000");
    this.paper = this.themed("--st-background-color", "#fff");
    this.redraw();
  }

  // Red, green and blue of one of the theme's colours, which may be written in any way.
  themed(name, otherwise) {
    const pen = make("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
    pen.fillStyle = getComputedStyle(this.node).getPropertyValue(name).trim() || otherwise;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  }

  get radius() { return Math.min(9, Math.max(2.2, Math.min(5.5, 170 / Math.sqrt(this.cloud.count))) * Math.max(1, this.camera.zoom) ** 0.35); }

  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      const { cloud, colours, chosen, camera, ink, paper, data } = this;
      if (colours.length !== 4 * cloud.count) return; // half of the next data
      this.painter_now().draw({ cloud, colours, chosen, camera, ink, paper, size: this.radius });
      this.encircle();
      if (!data.mark) return;
      const [x, y] = camera.spot(cloud.put(data.mark));
      this.star.setAttribute("transform", `translate(${x} ${y})`);
      const words = this.star.lastChild, half = words.getComputedTextLength() / 2 + 4;
      words.setAttribute("x", camera.sees(x, y) ? Math.max(half, Math.min(camera.width - half, x)) - x : 0); // whole, also at the edge
      words.setAttribute("y", y + 32 > camera.height ? -16 : 24);
    });
  }

  encircle() {
    this.ring.setAttribute("r", this.here < 0 ? 0 : this.radius + 4);
    if (this.here < 0) return;
    const [x, y] = this.spot(this.here);
    this.ring.setAttribute("cx", x);
    this.ring.setAttribute("cy", y);
    if (!this.card.hidden) this.place(x, y);
  }

  spot(point) { return this.camera.project().subarray(3 * point, 3 * point + 2); }

  move(act) {
    if (!this.camera) return;
    act();
    this.redraw();
  }

  // ---- one point ----------------------------------------------------------------------------------------------------------------------

  // Shows a ring around a point at once and its picture after a moment. -1 for none.
  point(here, wait = DWELL) {
    if (here === this.here) return;
    clearTimeout(this.later);
    this.here = here;
    this.card.hidden = true;
    this.stage.classList.toggle("on", here >= 0);
    if (here >= 0) this.later = setTimeout(() => this.introduce(), wait);
    if (this.camera) this.redraw();
  }

  introduce() {
    const { thumbs } = this.data, at = this.here;
    this.words.textContent = this.texts[at] ?? "";
    this.thumb.hidden = !thumbs;
    if (thumbs) {
      const each = thumbs.across * thumbs.across, place = at % each, address = thumbs.sheets[Math.floor(at / each)];
      if (this.sheet.getAttribute("src") !== address) this.sheet.setAttribute("src", address);
      const side = { width: thumbs.across * CARD, left: -CARD * (place % thumbs.across), top: -CARD * Math.floor(place / thumbs.across) };
      for (const [name, value] of Object.entries(side)) this.sheet.style[name] = `${value}px`;
    }
    this.card.hidden = false;
    this.place(...this.spot(at));
  }

  // Beside the point, on the side that has room.
  place(x, y) {
    const { offsetWidth: width, offsetHeight: height } = this.card, within = (value, most) => Math.max(4, Math.min(most - 4, value));
    this.card.style.left = `${within(x + 14 + width < this.camera.width ? x + 14 : x - 14 - width, this.camera.width - width)}px`;
    this.card.style.top = `${within(y - height / 2, this.camera.height - height)}px`;
  }

  unseen() {
    this.thumb.hidden = true; // the words stay
    this.sheet.removeAttribute("src");
  }

  // ---- choosing -----------------------------------------------------------------------------------------------------------------------

  choose(kind, points) {
    if (!this.camera) return;
    this.chosen = Uint32Array.from(points);
    this.sent = Date.now();
    this.serial = Math.max(this.serial + 1, this.sent);
    this.tally();
    this.redraw();
    this.tell("event", { kind, version: this.version, serial: this.serial, chosen: packed(points, this.cloud.count) });
  }

  take_up(tool) {
    this.tool = tool;
    this.explain();
  }

  fail(error) {
    this.fault.textContent = `The map could not be drawn. ${error.message}`;
    this.fault.hidden = false;
    this.loaded = {}; // the next look at the page tries again
  }

  dispose() {
    clearTimeout(this.later);
    cancelAnimationFrame(this.frame);
    this.watch.disconnect();
    const { painter } = this;
    this.painter = this.camera = null;
    painter?.dispose();
    this.node.remove();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  return lasting(parentElement, () => new Scatter(parentElement), (scatter) => scatter.take(data, setTriggerValue).catch((error) => scatter.fail(error)));
}
