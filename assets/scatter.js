// A map of pictures, with one point for each. Moving, turning, zooming, pointing and drawing a line around points
// happen here; the server gets only what was chosen. Text from data is set as text, never as markup.
// pages/ui/imageset/scatter.py puts this file behind the other scatter files.

const CARD_DELAY = 125; // milliseconds until a point shows its picture
const CARD_SIDE = 96; // side of that picture in CSS pixels
const SENT_TIMEOUT = 5000; // milliseconds after which the server's choice is taken even if ours is newer
const MOUSE_HELP = {
  move: [
    "Drag to move, wheel to zoom. Shift and drag draws a line around points.",
    "Drag to turn, wheel to zoom. Shift and drag draws a line around points.",
  ],
  lasso: ["Draw a line around points.", "Draw a line around points."],
  end: "Click a point to choose it.",
};
const FINGER_HELP = {
  ...MOUSE_HELP,
  move: ["Two fingers move and zoom.", "One finger sideways turns, two fingers move and zoom."],
  end: "Tap a point to choose it.",
};
const KEYBOARD_HELP =
  "Arrow keys go from point to point, Enter chooses one, Space chooses those around it, Escape chooses none, " +
  "plus and minus zoom.";
// The corners of the shapes in the legend, in radii; 0 is a circle.
const SHAPE_CORNERS = {
  1: [[-0.86, -0.86], [0.86, -0.86], [0.86, 0.86], [-0.86, 0.86]],
  2: [[0, -1.1], [0.95, 0.55], [-0.95, 0.55]],
  3: [[0, -1.1], [1.1, 0], [0, 1.1], [-1.1, 0]],
  4: [
    [-0.34, -1], [0.34, -1], [0.34, -0.34], [1, -0.34], [1, 0.34], [0.34, 0.34],
    [0.34, 1], [-0.34, 1], [-0.34, 0.34], [-1, 0.34], [-1, -0.34], [-0.34, -0.34],
  ],
};
const savedCameras = new Map(); // by version of the points: who comes back to a page finds the same view

function createSvgElement(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

async function fetchBytes(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error("Its points are no longer on the server. Reload the page.");
  return response.arrayBuffer();
}

// One bit for each point, the first point in the lowest bit of the first byte, as base64.
function packBits(points, count) {
  const bits = new Uint8Array(Math.ceil(count / 8));
  for (const point of points) bits[point >> 3] |= 1 << (point & 7);
  let text = "";
  for (const byte of bits) text += String.fromCharCode(byte);
  return btoa(text);
}

function unpackBits(text) {
  const bits = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const points = [];
  bits.forEach((byte, index) => {
    for (let bit = 0; byte >> bit; bit++) if ((byte >> bit) & 1) points.push(8 * index + bit);
  });
  return Uint32Array.from(points);
}

class Scatter {
  constructor(parent) {
    this.chosen = new Uint32Array();
    this.serial = this.sentAt = 0;
    this.current = -1; // the point under the mouse, a finger or the keys
    this.tool = "move";
    this.resources = {};
    this.build(parent);
    this.input = new InputHandler(this);
    this.resizeObserver = new ResizeObserver(() => this.resize());
    this.resizeObserver.observe(this.stage);
  }

  build(parent) {
    const name = "tool" + Math.random().toString(36).slice(2, 8);
    const createTool = (value) =>
      createElement(
        "label",
        {},
        createElement("input", { type: "radio", name, value, onchange: () => this.selectTool(value) }),
        createElement("span"),
      );
    const createButton = (text, label, act) =>
      createElement("button", { type: "button", text, "aria-label": label, title: label, onclick: act });
    this.tools = createElement(
      "div",
      { class: "choices", role: "radiogroup", "aria-label": "What dragging does" },
      createTool("move"),
      createTool("lasso"),
    );
    this.countText = createElement("span", { class: "soft", role: "status" });
    this.clearButton = createElement("button", {
      type: "button",
      text: "Clear selection",
      onclick: () => this.choose("clear", []),
    });
    this.bar = createElement(
      "div",
      { class: "bar" },
      this.tools,
      createElement(
        "div",
        { class: "zoom" },
        createButton("−", "Zoom out", () => this.moveCamera(() => this.camera.zoomBy(1 / 1.5))),
        createButton("+", "Zoom in", () => this.moveCamera(() => this.camera.zoomBy(1.5))),
        createElement("button", {
          type: "button",
          text: "Show all",
          onclick: () => this.moveCamera(() => this.camera.resetView()),
        }),
      ),
      createElement("div", { class: "end" }, this.countText, this.clearButton),
    );
    this.ring = createSvgElement("circle", { class: "ring", r: 0 });
    this.lassoLine = createSvgElement("polygon", { class: "line" });
    this.marker = createSvgElement(
      "g",
      { class: "star" },
      createSvgElement("path", { d: "M0-11 3-3.6 10.5-3.4 4.5 1.5 6.6 9 0 4.6-6.6 9-4.5 1.5-10.5-3.4-3-3.6Z" }),
      createSvgElement("text", { y: 24, "text-anchor": "middle" }),
    );
    this.overlay = createSvgElement("svg", { "aria-hidden": "true" }, this.lassoLine, this.ring, this.marker);
    this.sheetImage = createElement("img", { alt: "", onerror: () => this.hideThumb() });
    this.thumb = createElement("div", { class: "thumb" }, this.sheetImage);
    this.cardText = createElement("div", { class: "words" });
    this.card = createElement("div", { class: "card", hidden: "" }, this.thumb, this.cardText);
    this.hint = createElement("div", { class: "hint", hidden: "" });
    this.stage = createElement(
      "div",
      { class: "stage", tabindex: 0, role: "application", "aria-roledescription": "map of pictures" },
      this.overlay,
      this.card,
      this.hint,
    );
    this.errorBox = createElement("p", { role: "alert", hidden: "" });
    this.announcement = createElement("div", { class: "hidden", role: "status" });
    this.help = createElement("p", { class: "soft" });
    this.legend = createElement("div", { class: "legend" });
    this.node = createElement(
      "div",
      { class: "wb" },
      this.errorBox,
      this.bar,
      this.stage,
      this.announcement,
      this.help,
      this.legend,
    );
    parent.append(this.node);
  }

  // ---- data from the server ---------------------------------------------------------------------------------------

  async update(data, sendTrigger) {
    const updateToken = (this.updateToken = {});
    this.sendTrigger = sendTrigger;
    const loadResource = async (name, read) => {
      const address = data[name];
      if (this.resources[name]?.address !== address)
        this.resources[name] = { address, value: await fetchBytes(address).then(read) };
      return this.resources[name].value;
    };
    const [raw, colours, words] = await Promise.all([
      loadResource("points", (whole) => new Float32Array(whole)),
      loadResource("colours", (whole) => new Uint8Array(whole)),
      loadResource("words", (whole) => JSON.parse(new TextDecoder().decode(whole))),
    ]);
    if (this.updateToken !== updateToken) return; // newer data came while this was loading
    if (this.version !== data.version) this.startMap(data, normalizePoints(raw, data.axes));
    Object.assign(this, { data, colours, texts: words });
    // The server's choice may be older than ours that is still on its way: then ours stays.
    if (data.serial >= this.serial || Date.now() - this.sentAt > SENT_TIMEOUT) {
      this.chosen = unpackBits(data.chosen);
      this.serial = Math.max(this.serial, data.serial);
    }
    this.render();
  }

  startMap({ version }, cloud) {
    this.version = version;
    this.cloud = cloud;
    this.camera = savedCameras.get(version) ?? new Camera(cloud);
    // Set again as the newest; the oldest goes.
    savedCameras.delete(version);
    savedCameras.set(version, this.camera);
    if (savedCameras.size > 8) savedCameras.delete(savedCameras.keys().next().value);
    this.current = -1;
    this.card.hidden = true;
    this.input.reset();
  }

  render() {
    this.errorBox.hidden = true;
    const { data } = this;
    const [move, lasso] = this.tools.querySelectorAll("span");
    move.textContent = this.camera.is3d ? "Turn" : "Move";
    lasso.textContent = "Lasso";
    for (const input of this.tools.querySelectorAll("input")) input.checked = input.value === this.tool;
    this.stage.style.setProperty("--height", `${data.height}px`);
    this.stage.setAttribute("aria-label", `${data.alt} ${KEYBOARD_HELP}`);
    this.marker.style.display = data.mark ? "" : "none";
    this.marker.lastChild.textContent = data.mark_words;
    this.renderHelp();
    this.renderCount();
    this.renderLegend(data.legend);
    this.resize();
  }

  renderHelp() {
    this.stage.classList.toggle("lasso", this.tool === "lasso");
    const help = matchMedia("(pointer: coarse)").matches ? FINGER_HELP : MOUSE_HELP;
    this.help.textContent = `${help[this.tool][this.cloud.axes - 2]} ${help.end}`;
  }

  renderCount() {
    const all = this.cloud.count.toLocaleString("en");
    const some = this.chosen.length.toLocaleString("en");
    this.countText.textContent = this.chosen.length ? `${some} of ${all} chosen` : `${all} pictures`;
    this.clearButton.disabled = !this.chosen.length;
  }

  renderLegend(legend) {
    const key = JSON.stringify(legend);
    if (key === this.legendKey) return; // unchanged: an opened list must stay open
    this.legendKey = key;
    const createIcon = (colour, shape) => {
      const corners = SHAPE_CORNERS[shape];
      const outline = corners
        ? createSvgElement("polygon", { points: corners.join(" ") })
        : createSvgElement("circle", { r: 0.95 });
      outline.setAttribute("fill", colour);
      return createSvgElement("svg", { viewBox: "-1.3 -1.3 2.6 2.6", "aria-hidden": "true" }, outline);
    };
    const createEntry = ({ name, colour, shape, count }) =>
      createElement(
        "li",
        {},
        createIcon(colour, shape),
        createElement("span", { text: name }),
        createElement("span", { class: "soft", text: count.toLocaleString("en") }),
      );
    const parts = [createElement("div", { class: "title", text: legend.title })];
    const shownEntries = legend.entries.slice(0, legend.shown);
    const otherEntries = legend.entries.slice(legend.shown);
    if (legend.ramp.length) {
      const ramp = createElement("i", { class: "ramp" });
      ramp.style.background = `linear-gradient(to right, ${legend.ramp.join(", ")})`;
      parts.push(
        createElement(
          "div",
          { class: "scale" },
          createElement("span", { text: legend.low }),
          ramp,
          createElement("span", { text: legend.high }),
        ),
      );
    }
    if (shownEntries.length) parts.push(createElement("ul", {}, ...shownEntries.map(createEntry)));
    if (otherEntries.length)
      parts.push(
        createElement(
          "details",
          {},
          createElement("summary", { text: `${otherEntries.length.toLocaleString("en")} more` }),
          createElement("ul", {}, ...otherEntries.map(createEntry)),
        ),
      );
    this.legend.hidden = !legend.title && parts.length === 1;
    this.legend.replaceChildren(...parts);
  }

  // ---- drawing ----------------------------------------------------------------------------------------------------

  // A canvas can have one kind of context only, so after the loss of a context there must be a new canvas.
  getPainter() {
    if (this.painter) return this.painter;
    const createCanvas = () => createElement("canvas", { "aria-hidden": "true" });
    let webGlPainter = null;
    try {
      webGlPainter = this.contextLosses > 2 ? null : WebGlPainter.tryCreate(createCanvas());
    } catch {
      /* this machine cannot run the shaders */
    }
    this.painter = webGlPainter ?? new CanvasPainter(createCanvas());
    this.painter.canvas.addEventListener(
      "webglcontextlost",
      () => {
        this.contextLosses = (this.contextLosses ?? 0) + 1;
        this.painter?.canvas.remove();
        this.painter = null;
        this.resize();
      },
      { once: true },
    );
    this.stage.prepend(this.painter.canvas);
    this.stage.dataset.painter = this.painter.name;
    return this.painter;
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (!this.camera || !width || !height) return;
    this.camera.resize(width, height);
    const painter = this.getPainter();
    const { canvas } = painter;
    const ratio = Math.min(painter.constructor.getMaxPixelRatio(this.cloud.count), devicePixelRatio || 1);
    const size = { width: Math.round(width * ratio), height: Math.round(height * ratio) };
    if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
    this.ink = this.readThemeColour("--st-text-color", "#000");
    this.paper = this.readThemeColour("--st-background-color", "#fff");
    this.requestRedraw();
  }

  // Red, green and blue of a colour of the theme. The canvas reads every notation that CSS knows.
  readThemeColour(name, fallback) {
    const context = createElement("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
    context.fillStyle = getComputedStyle(this.node).getPropertyValue(name).trim() || fallback;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  }

  // Smaller for more points, larger with the zoom.
  get pointRadius() {
    return Math.min(
      9,
      Math.max(2.2, Math.min(5.5, 170 / Math.sqrt(this.cloud.count))) * Math.max(1, this.camera.zoom) ** 0.35,
    );
  }

  requestRedraw() {
    this.frameRequest ??= requestAnimationFrame(() => {
      this.frameRequest = null;
      const { cloud, colours, chosen, camera, ink, paper, data } = this;
      if (colours.length !== 4 * cloud.count) return; // points and colours are not of one update
      this.getPainter().draw({ cloud, colours, chosen, camera, ink, paper, size: this.pointRadius });
      this.placeRing();
      if (!data.mark) return;
      const [x, y] = camera.projectPoint(cloud.normalizePoint(data.mark));
      this.marker.setAttribute("transform", `translate(${x} ${y})`);
      const label = this.marker.lastChild;
      const halfWidth = label.getComputedTextLength() / 2 + 4;
      // At the border the label is shifted, so that all of it can be read.
      label.setAttribute(
        "x",
        camera.isVisible(x, y) ? Math.max(halfWidth, Math.min(camera.width - halfWidth, x)) - x : 0,
      );
      label.setAttribute("y", y + 32 > camera.height ? -16 : 24);
    });
  }

  placeRing() {
    this.ring.setAttribute("r", this.current < 0 ? 0 : this.pointRadius + 4);
    if (this.current < 0) return;
    const [x, y] = this.getScreenPosition(this.current);
    this.ring.setAttribute("cx", x);
    this.ring.setAttribute("cy", y);
    if (!this.card.hidden) this.placeCard(x, y);
  }

  getScreenPosition(point) {
    return this.camera.projectAll().subarray(3 * point, 3 * point + 2);
  }

  moveCamera(change) {
    if (!this.camera) return;
    change();
    this.requestRedraw();
  }

  // ---- the current point ------------------------------------------------------------------------------------------

  // Shows a ring around a point at once and its picture after `delay` milliseconds. -1 for none.
  pointAt(current, delay = CARD_DELAY) {
    if (current === this.current) return;
    clearTimeout(this.cardTimer);
    this.current = current;
    this.card.hidden = true;
    this.stage.classList.toggle("on", current >= 0);
    if (current >= 0) this.cardTimer = setTimeout(() => this.showCard(), delay);
    if (this.camera) this.requestRedraw();
  }

  showCard() {
    const { thumbs } = this.data;
    const point = this.current;
    this.cardText.textContent = this.texts[point] ?? "";
    this.thumb.hidden = !thumbs;
    // A sheet has rows and columns of thumbnails: shift the image so that the one of this point shows.
    if (thumbs) {
      const perSheet = thumbs.across * thumbs.across;
      const cell = point % perSheet;
      const address = thumbs.sheets[Math.floor(point / perSheet)];
      if (this.sheetImage.getAttribute("src") !== address) this.sheetImage.setAttribute("src", address);
      const style = {
        width: thumbs.across * CARD_SIDE,
        left: -CARD_SIDE * (cell % thumbs.across),
        top: -CARD_SIDE * Math.floor(cell / thumbs.across),
      };
      for (const [name, value] of Object.entries(style)) this.sheetImage.style[name] = `${value}px`;
    }
    this.card.hidden = false;
    this.placeCard(...this.getScreenPosition(point));
  }

  // To the right of the point if there is room, else to its left.
  placeCard(x, y) {
    const { offsetWidth: width, offsetHeight: height } = this.card;
    const clampInside = (value, limit) => Math.max(4, Math.min(limit - 4, value));
    const left = x + 14 + width < this.camera.width ? x + 14 : x - 14 - width;
    this.card.style.left = `${clampInside(left, this.camera.width - width)}px`;
    this.card.style.top = `${clampInside(y - height / 2, this.camera.height - height)}px`;
  }

  // The sheet could not be loaded: the card shows the words alone.
  hideThumb() {
    this.thumb.hidden = true;
    this.sheetImage.removeAttribute("src");
  }

  // ---- choosing ---------------------------------------------------------------------------------------------------

  choose(kind, points) {
    if (!this.camera) return;
    this.chosen = Uint32Array.from(points);
    this.sentAt = Date.now();
    // A time, so that it is also larger than the numbers sent before the page was reloaded.
    this.serial = Math.max(this.serial + 1, this.sentAt);
    this.renderCount();
    this.requestRedraw();
    this.sendTrigger("event", {
      kind,
      version: this.version,
      serial: this.serial,
      chosen: packBits(points, this.cloud.count),
    });
  }

  selectTool(tool) {
    this.tool = tool;
    this.renderHelp();
  }

  showError(error) {
    this.errorBox.textContent = `The map could not be drawn. ${error.message}`;
    this.errorBox.hidden = false;
    this.resources = {}; // the next update loads everything again
  }

  dispose() {
    clearTimeout(this.cardTimer);
    cancelAnimationFrame(this.frameRequest);
    this.resizeObserver.disconnect();
    const { painter } = this;
    this.painter = this.camera = null;
    painter?.dispose();
    this.node.remove();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  return mountComponent(
    parentElement,
    () => new Scatter(parentElement),
    (scatter) => scatter.update(data, setTriggerValue).catch((error) => scatter.showError(error)),
  );
}
