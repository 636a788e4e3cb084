// The comparison viewer: cards with a picture and a map on it. Colours, scale, opacity, reading values and saving all happen here;
// nothing goes to the server. All words from data enter as text, never as markup. Joined behind viewer_map.js and viewer_sheet.js by pages/ui/image/viewer.py.

const VIEW = { opacity: "75", palette: "orange_blue", scale: "own", show: "colours" };
const SHOWS = { colours: "Colours", outline: "Outline", picture: "Picture only" };
const SCALES = { own: "Each its own", shared: "One for all" };
const WAITS = { waiting: "Waiting for its turn", working: "Working …", cancelled: "Stopped." };
const LEVELS = {
  green: ["Checks passed", "M5 12.5l4.5 4.5L19 7.5"],
  amber: ["Read with care", "M12 4L2.8 20h18.4z M12 10v4.5 M12 17.2v.1"],
  red: ["Do not rely on it", "M8 3h8l5 5v8l-5 5H8l-5-5V8z M9 9l6 6 M15 9l-6 6"],
};
const STORE = "whybox.view";

function icon(level) {
  const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg"), path = document.createElementNS(space, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", LEVELS[level][1]);
  svg.append(path);
  return svg;
}

function loadPicture(address) {
  return new Promise((resolve, reject) => {
    const picture = new Image();
    picture.onload = () => resolve(picture);
    picture.onerror = () => reject(new Error("The picture could not be read."));
    picture.src = address;
  });
}

// ---- the view: what the visitor chose, kept in the address and for the next page -----------------------------------------------------

function readView(palettes) {
  const query = new URLSearchParams(location.search), names = Object.keys(VIEW);
  let saved = {};
  if (names.some((name) => query.has("view_" + name))) saved = Object.fromEntries(names.map((name) => [name, query.get("view_" + name)]));
  else try { saved = JSON.parse(sessionStorage.getItem(STORE)) || {}; } catch { /* storage may be blocked */ }
  const view = { ...VIEW }, opacity = Number(saved.opacity ?? NaN);
  if (saved.opacity !== "" && opacity >= 0 && opacity <= 100) view.opacity = String(Math.round(opacity));
  if (Object.hasOwn(palettes, saved.palette)) view.palette = saved.palette;
  if (Object.hasOwn(SCALES, saved.scale)) view.scale = saved.scale;
  if (Object.hasOwn(SHOWS, saved.show)) view.show = saved.show;
  return view;
}

function keepView(view) {
  const url = new URL(location.href);
  for (const name of Object.keys(VIEW)) {
    if (view[name] === VIEW[name]) url.searchParams.delete("view_" + name);
    else url.searchParams.set("view_" + name, view[name]);
  }
  if (url.href !== location.href) history.replaceState(history.state, "", url);
  try { sessionStorage.setItem(STORE, JSON.stringify(view)); } catch { /* storage may be blocked */ }
}

// ---- one card -------------------------------------------------------------------------------------------------------------------

class Card {
  constructor(viewer, id) {
    this.viewer = viewer;
    this.id = id;
    this.title = make("h3");
    this.name = make("div", { class: "name" });
    this.canvas = make("canvas", { role: "img" });
    this.note = make("div", { class: "note" }, make("span"));
    this.cross = make("div", { class: "cross", hidden: "" });
    this.low = make("span");
    this.high = make("span");
    this.tick = make("i", { hidden: "" });
    this.ramp = make("canvas", { width: 256, height: 1, "aria-hidden": "true" });
    this.scale = make("div", { class: "scale" }, this.low, make("div", { class: "ramp" }, this.ramp, this.tick), this.high);
    this.reading = make("div", { class: "reading" });
    this.words = make("div", { class: "words" });
    this.node = make("article", { class: "card" },
      make("div", { class: "top" }, this.title, this.name),
      make("div", { class: "picture" }, make("div", { class: "frame" }, this.canvas, this.note, this.cross), this.scale, this.reading), this.words);
    this.listen();
  }

  listen() {
    const point = (event) => {
      const box = this.canvas.getBoundingClientRect();
      this.viewer.point((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    };
    this.canvas.addEventListener("pointermove", point);
    this.canvas.addEventListener("pointerdown", point);
    this.canvas.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.viewer.point(null));
    this.canvas.addEventListener("focus", () => this.reading.setAttribute("aria-live", "polite"));
    this.canvas.addEventListener("blur", () => this.reading.removeAttribute("aria-live"));
    this.canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (event.key === "Escape") return this.viewer.point(null);
      if (!step || !this.map) return undefined;
      event.preventDefault();
      const far = event.shiftKey ? 10 : 1, at = this.viewer.at ?? [0.5, 0.5];
      // From cell centre to cell centre, so that no rounding error skips a cell.
      return this.viewer.point(...at.map((part, axis) => (Math.floor(part * this.map.grid[axis]) + far * step[axis] + 0.5) / this.map.grid[axis]));
    });
  }

  // Takes the panel's new state. Unchanged maps are kept, so a growing comparison decodes each map once.
  async take(panel, picture) {
    this.node.dataset.state = panel.state;
    this.title.textContent = panel.title;
    this.name.textContent = panel.name;
    const note = panel.state === "done" ? "" : panel.message || WAITS[panel.state] || "";
    this.note.hidden = !note;
    this.note.firstChild.textContent = note;
    this.tell(panel);
    this.picture = picture;
    const packed = panel.map?.values ?? null, changed = packed !== this.packed;
    this.packed = packed;
    this.panel = panel;
    this.map = panel.map ?? null;
    const [columns, rows] = this.map ? this.map.grid : [picture.naturalWidth, picture.naturalHeight];
    const factor = Math.max(1, Math.ceil(SIDE / Math.max(columns, rows)));
    this.node.classList.toggle("tiny", Math.max(columns, rows) < PIXEL_ART);
    if (this.canvas.width !== columns * factor || this.canvas.height !== rows * factor) Object.assign(this.canvas, { width: columns * factor, height: rows * factor });
    this.canvas.setAttribute("aria-label", this.map ? `${panel.title}. ${this.map.alt} The arrow keys read values.` : `The picture. ${panel.title}: ${note}`);
    if (this.map) this.canvas.tabIndex = 0;
    else this.canvas.removeAttribute("tabindex");
    this.scale.hidden = this.reading.hidden = !this.map;
    if (changed) {
      this.values = this.grown = this.drawn = null;
      if (this.map) {
        const values = await unpack(this.map);
        if (this.packed !== packed) return; // newer numbers came while these were unpacked
        this.values = values;
        this.grown = enlarge(values, this.map.grid, factor);
      }
    }
    this.draw();
    this.read();
  }

  tell(panel) {
    const key = JSON.stringify([panel.sentence, panel.caption, panel.level, panel.checks, panel.cost, panel.map?.odd]);
    if (key === this.told) return; // an open list of checks stays open
    this.told = key;
    const parts = [make("p", { text: panel.sentence })];
    if (panel.map?.odd) parts.push(make("p", { text: panel.map.odd }));
    if (panel.caption) parts.push(make("p", { class: "soft", text: panel.caption }));
    if (LEVELS[panel.level]) {
      const checks = panel.checks.map((check) => make("li", { "data-level": check.level }, icon(check.level), make("span", { text: check.sentence })));
      parts.push(make("details", {}, make("summary", { "data-level": panel.level }, icon(panel.level), LEVELS[panel.level][0]), make("ul", {}, ...checks)));
    }
    if (panel.map) {
      const save = make("button", { type: "button", text: "Save picture", "aria-label": `Save picture: ${panel.title}`, onclick: () => this.viewer.save([this], this.id) });
      parts.push(make("div", { class: "foot" }, make("span", { class: "soft", text: panel.cost }), save));
    }
    this.words.replaceChildren(...parts);
  }

  get fullColour() { return this.viewer.view.scale === "shared" ? this.map.shared_scale : this.map.scale; }

  get caption() {
    const { scale, show } = this.viewer.view;
    if (show === "picture") return "The picture as the model saw it.";
    const caption = scale === "shared" ? this.map.caption_shared : this.map.caption_own;
    return show === "outline" ? `The line runs where half of full colour is reached. ${caption}` : caption;
  }

  draw() {
    const pen = this.canvas.getContext("2d"), { width, height } = this.canvas, { view } = this.viewer;
    pen.imageSmoothingEnabled = !this.node.classList.contains("tiny");
    pen.imageSmoothingQuality = "high";
    pen.globalAlpha = 1;
    pen.filter = "none";
    pen.clearRect(0, 0, width, height);
    pen.drawImage(this.picture, 0, 0, width, height);
    if (!this.grown) return;
    const table = this.viewer.table(this.map.signed), key = [view.palette, view.show, this.fullColour].join();
    if (this.drawn !== key && view.show !== "picture") {
      this.layer ??= surface(width, height);
      if (this.layer.width !== width || this.layer.height !== height) Object.assign(this.layer, { width, height });
      (view.show === "outline" ? outline : colourise)(this.layer.getContext("2d"), this.grown, this.fullColour, table, this.map.signed);
      this.drawn = key;
    }
    const opacity = Number(view.opacity) / 100;
    if (view.show === "colours") {
      pen.globalAlpha = Math.sqrt(opacity); // the photograph gives up its own colours as the map's get stronger
      pen.drawImage(this.viewer.greyed(this.picture, width, height, pen.imageSmoothingEnabled), 0, 0);
      pen.globalAlpha = opacity;
    }
    if (view.show !== "picture") pen.drawImage(this.layer, 0, 0);
    pen.globalAlpha = 1;
    this.scale.style.visibility = view.show === "picture" ? "hidden" : "";
    this.legend(table);
  }

  legend(table) {
    const pen = this.ramp.getContext("2d"), image = pen.createImageData(256, 1);
    image.data.set(table);
    if (this.map.signed) image.data.set(table.subarray(4, 8), 0); // row 0 means "no number"
    pen.putImageData(image, 0, 0);
    this.low.textContent = this.map.signed ? "against" : "none";
    this.high.textContent = this.map.signed ? "for" : "most";
  }

  read() {
    const at = this.viewer.at;
    this.cross.hidden = this.tick.hidden = !at || !this.values;
    this.reading.classList.toggle("here", !this.cross.hidden);
    if (!this.map) return;
    if (this.cross.hidden) { this.reading.textContent = this.caption; return; }
    this.cross.style.left = `${100 * at[0]}%`;
    this.cross.style.top = `${100 * at[1]}%`;
    const [columns, rows] = this.map.grid, column = Math.min(columns - 1, Math.floor(at[0] * columns)), row = Math.min(rows - 1, Math.floor(at[1] * rows));
    const value = this.values[row * columns + column], part = this.fullColour > 0 ? value / this.fullColour : 0;
    const sign = value > 0 ? "+" : value < 0 ? "−" : "";
    this.tick.hidden = Number.isNaN(value);
    this.tick.style.left = `${(rowOf(part, this.map.signed) / 255) * 100}%`;
    this.reading.textContent = Number.isNaN(value) ? "No number here" : `${sign}${Math.round(Math.abs(100 * part))} % of full colour: ${sign}${number(value, this.map.peak)} ${this.map.unit}`;
  }
}

// ---- all cards and their toolbar ------------------------------------------------------------------------------------------------------

class Viewer {
  constructor(parent, palettes) {
    this.palettes = Object.fromEntries(Object.entries(palettes).map(([name, p]) => [name, { title: p.title, signed: bytes(p.signed), unsigned: bytes(p.unsigned) }]));
    this.view = readView(this.palettes);
    this.cards = new Map();
    this.heads = new Map();
    this.pictures = new Map();
    this.greys = new WeakMap();
    this.at = null;
    this.grid = make("div", { class: "grid" });
    this.node = make("div", { class: "wb" }, this.toolbar(), this.grid);
    parent.append(this.node);
  }

  toolbar() {
    const id = "wb" + Math.random().toString(36).slice(2, 8);
    const slide = (event) => this.choose("opacity", event.target.value);
    this.slider = make("input", { id: id + "o", type: "range", min: 0, max: 100, step: 1, oninput: slide });
    this.percent = make("output", { for: id + "o" });
    this.select = make("select", { id: id + "p", onchange: (event) => this.choose("palette", event.target.value) },
      ...Object.entries(this.palettes).map(([name, palette]) => make("option", { value: name, text: palette.title })));
    this.saveAll = make("button", { type: "button", text: "Save all as one picture", onclick: () => this.save([...this.cards.values()].filter((card) => card.grown), "comparison") });
    this.scales = this.choices("scale", "Colour scale", SCALES, id);
    const bar = make("div", { class: "bar", role: "group", "aria-label": "How the maps are shown" },
      this.choices("show", "Show", SHOWS, id),
      make("div", { class: "field" }, make("label", { for: id + "o", text: "Strength of the colours" }), make("div", { class: "slide" }, this.slider, this.percent)),
      make("div", { class: "field" }, make("label", { for: id + "p", text: "Palette" }), this.select),
      this.scales,
      make("div", { class: "field end" }, this.saveAll));
    this.bar = bar;
    return bar;
  }

  choices(name, title, options, id) {
    const items = Object.entries(options).map(([value, text]) =>
      make("label", {}, make("input", { type: "radio", name: id + name, value, "data-view": name, onchange: () => this.choose(name, value) }), make("span", { text })));
    return make("fieldset", { class: "field" }, make("legend", { text: title }), make("div", { class: "choices" }, ...items));
  }

  table(signed) { return this.palettes[this.view.palette][signed ? "signed" : "unsigned"]; }

  greyed(picture, width, height, smooth) {
    const known = this.greys.get(picture);
    if (known?.width !== width || known.height !== height) {
      const canvas = surface(width, height), pen = canvas.getContext("2d", { willReadFrequently: true });
      pen.imageSmoothingEnabled = smooth;
      pen.imageSmoothingQuality = "high";
      pen.drawImage(picture, 0, 0, width, height);
      const image = pen.getImageData(0, 0, width, height), data = image.data;
      for (let at = 0; at < data.length; at += 4) data[at] = data[at + 1] = data[at + 2] = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
      pen.putImageData(image, 0, 0);
      this.greys.set(picture, canvas);
    }
    return this.greys.get(picture);
  }

  choose(name, value) {
    this.view[name] = value;
    this.show();
    clearTimeout(this.later); // browsers limit how often an address may change
    this.later = setTimeout(() => keepView(this.view), 150);
    for (const card of this.cards.values()) if (card.grown) { card.draw(); card.read(); }
  }

  show() {
    this.slider.value = this.view.opacity;
    this.slider.setAttribute("aria-valuetext", `${this.view.opacity} percent`);
    this.percent.textContent = `${this.view.opacity} %`;
    this.slider.disabled = this.view.show !== "colours";
    this.select.value = this.view.palette;
    for (const input of this.bar.querySelectorAll("[data-view]")) input.checked = this.view[input.dataset.view] === input.value;
    const maps = [...this.cards.values()].filter((card) => card.map);
    this.saveAll.disabled = !maps.length;
    this.saveAll.parentElement.hidden = this.scales.hidden = this.cards.size < 2;
  }

  point(x, y) {
    const inside = (part) => Math.max(0, Math.min(0.99999, part));
    this.at = x === null ? null : [inside(x), inside(y)];
    for (const card of this.cards.values()) card.read();
  }

  async take(data) {
    const ids = data.panels.map((panel) => panel.id), turn = (this.turn = {});
    const pictures = new Map();
    for (const address of data.pictures) pictures.set(address, this.pictures.get(address) ?? (await loadPicture(address)));
    if (this.turn !== turn) return; // newer data came while the pictures were read
    this.pictures = pictures;
    for (const [id, card] of this.cards) if (!ids.includes(id)) { card.node.remove(); this.cards.delete(id); }
    const cards = new Map(ids.map((id) => [id, this.cards.get(id) ?? new Card(this, id)]));
    this.cards = cards;
    const order = this.rows(data.panels);
    if (order.length !== this.grid.children.length || order.some((node, at) => this.grid.children[at] !== node)) this.grid.replaceChildren(...order);
    this.grid.dataset.count = ids.length;
    const inRows = data.panels.some((panel) => panel.row);
    this.grid.toggleAttribute("data-rows", inRows);
    this.scales.querySelector('[value="shared"] + span').textContent = inRows ? "One for each row" : SCALES.shared;
    this.grid.style.setProperty("--count", Math.max(...data.panels.map((panel) => data.panels.filter((other) => other.row === panel.row).length)));
    this.shade();
    const done = data.panels.map((panel) => cards.get(panel.id).take(panel, pictures.get(data.pictures[panel.picture])));
    this.show();
    keepView(this.view);
    await Promise.all(done);
  }

  // The cards in their order, each row that has a title under it.
  rows(panels) {
    const order = [];
    panels.forEach((panel, at) => {
      if (panel.row && panel.row !== panels[at - 1]?.row) {
        const head = this.heads.get(panel.row) ?? make("h2", { class: "row", text: panel.row });
        this.heads.set(panel.row, head);
        order.push(head);
      }
      order.push(this.cards.get(panel.id).node);
    });
    return order;
  }

  // Badge colours need to know whether the theme is dark; the theme is only told as colours.
  shade() {
    const pen = surface(1, 1).getContext("2d");
    pen.fillStyle = getComputedStyle(this.node).getPropertyValue("--st-background-color").trim() || "#fff";
    pen.fillRect(0, 0, 1, 1);
    const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
    this.node.classList.toggle("dark", red + green + blue < 384);
  }

  save(cards, name) {
    sheet(cards).toBlob((blob) => {
      const link = make("a", { href: URL.createObjectURL(blob), download: `whybox-${name.replace(/[^\w-]+/g, "-")}.png` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    }, "image/png");
  }

  fail(error) {
    const old = typeof DecompressionStream === "undefined";
    const text = old ? "This browser is too old to draw the maps. Please update it." : `The maps could not be drawn. ${error.message}`;
    this.grid.replaceChildren(make("p", { role: "alert", text }));
    this.cards.clear();
  }

  dispose() {
    clearTimeout(this.later);
    this.node.remove();
  }
}

export default function ({ data, parentElement }) {
  return lasting(parentElement, () => new Viewer(parentElement, data.palettes), (viewer) => viewer.take(data).catch((error) => viewer.fail(error)));
}
