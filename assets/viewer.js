// The comparison viewer: cards with a picture and a map on it. Colours, scale, opacity, reading values and saving all
// happen here; nothing goes to the server. Text from data is set as text, never as markup.
// pages/ui/image/viewer.py puts this file behind viewer_map.js and viewer_sheet.js.

const LOWEST_THRESHOLD = 5; // percent of full colour; a line around nearly nothing would run everywhere
const DEFAULT_VIEW = { opacity: "75", threshold: "50", palette: "orange_blue", scale: "own", show: "colours" };
const SHOWS = { colours: "Colours", outline: "Outline", picture: "Picture only" };
const SCALES = { own: "Each its own", shared: "One for all" };
const STATE_TEXTS = { waiting: "Waiting for its turn", working: "Working …", cancelled: "Stopped." };
// Icons of the findings; each state of the verdict looks like one of them.
const ICONS = {
  green: "M5 12.5l4.5 4.5L19 7.5",
  amber: "M12 4L2.8 20h18.4z M12 10v4.5 M12 17.2v.1",
  red: "M8 3h8l5 5v8l-5 5H8l-5-5V8z M9 9l6 6 M15 9l-6 6",
  grey: "M12 3a9 9 0 1 0 .01 0z M7.5 12h9",
};
const STATE_LEVELS = { fine: "green", care: "amber", distrust: "red", unchecked: "grey" };
const STORAGE_KEY = "whybox.view";

function createIcon(level) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  const path = document.createElementNS(namespace, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[level]);
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

// ---- the view: the visitor's options, in the page's address and in the session's storage ----------------------------

// Anything can be in the address or the storage: only what is a known option is taken.
function readView(palettes) {
  const query = new URLSearchParams(location.search);
  const names = Object.keys(DEFAULT_VIEW);
  let saved = {};
  if (names.some((name) => query.has("view_" + name)))
    saved = Object.fromEntries(names.map((name) => [name, query.get("view_" + name)]));
  else
    try {
      saved = JSON.parse(sessionStorage.getItem(STORAGE_KEY)) || {};
    } catch {
      /* storage may be blocked */
    }
  const view = { ...DEFAULT_VIEW };
  for (const [name, least] of [["opacity", 0], ["threshold", LOWEST_THRESHOLD]]) {
    const percent = Number(saved[name] ?? NaN);
    if (saved[name] !== "" && percent >= least && percent <= 100) view[name] = String(Math.round(percent));
  }
  if (Object.hasOwn(palettes, saved.palette)) view.palette = saved.palette;
  if (Object.hasOwn(SCALES, saved.scale)) view.scale = saved.scale;
  if (Object.hasOwn(SHOWS, saved.show)) view.show = saved.show;
  return view;
}

function saveView(view) {
  const url = new URL(location.href);
  for (const name of Object.keys(DEFAULT_VIEW)) {
    if (view[name] === DEFAULT_VIEW[name]) url.searchParams.delete("view_" + name);
    else url.searchParams.set("view_" + name, view[name]);
  }
  if (url.href !== location.href) history.replaceState(history.state, "", url);
  try {
    sessionStorage.setItem(STORAGE_KEY, JSON.stringify(view));
  } catch {
    /* storage may be blocked */
  }
}

// ---- one card -------------------------------------------------------------------------------------------------------

class Card {
  constructor(viewer, id) {
    this.viewer = viewer;
    this.id = id;
    this.title = createElement("h3");
    this.name = createElement("div", { class: "name" });
    this.canvas = createElement("canvas", { role: "img" });
    this.note = createElement("div", { class: "note" }, createElement("span"));
    this.veil = createElement(
      "div",
      { class: "veil", hidden: "" },
      createElement("span", { text: "Not shown as an explanation" }),
      createElement("button", { type: "button", text: "Show the map anyway", onclick: () => this.reveal() }),
    );
    this.zoom = createElement("button", { type: "button", class: "zoom", onclick: () => this.viewer.toggleLarge(this) });
    this.cross = createElement("div", { class: "cross", hidden: "" });
    this.low = createElement("span");
    this.high = createElement("span");
    this.tick = createElement("i", { hidden: "" });
    this.ramp = createElement("canvas", { width: 256, height: 1, "aria-hidden": "true" });
    this.scale = createElement(
      "div",
      { class: "scale" },
      this.low,
      createElement("div", { class: "ramp" }, this.ramp, this.tick),
      this.high,
    );
    this.reading = createElement("div", { class: "reading" });
    this.words = createElement("div", { class: "words" });
    this.node = createElement(
      "article",
      { class: "card" },
      createElement("div", { class: "top" }, this.title, this.name),
      createElement(
        "div",
        { class: "picture" },
        createElement("div", { class: "frame" }, this.canvas, this.note, this.veil, this.cross, this.zoom),
        this.scale,
        this.reading,
      ),
      this.words,
    );
    this.addListeners();
  }

  addListeners() {
    const pointAt = (event) => {
      const box = this.canvas.getBoundingClientRect();
      this.viewer.setPoint((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    };
    this.canvas.addEventListener("pointermove", pointAt);
    this.canvas.addEventListener("pointerdown", pointAt);
    this.canvas.addEventListener("click", () => this.canEnlarge && this.viewer.toggleLarge(this));
    this.canvas.addEventListener(
      "pointerleave",
      (event) => event.pointerType === "mouse" && this.viewer.setPoint(null),
    );
    this.canvas.addEventListener("focus", () => this.reading.setAttribute("aria-live", "polite"));
    this.canvas.addEventListener("blur", () => this.reading.removeAttribute("aria-live"));
    this.canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (event.key === "Escape") {
        if (this.isLarge) this.viewer.toggleLarge(this);
        return this.viewer.setPoint(null);
      }
      if (event.key === "Enter" && this.canEnlarge) return this.viewer.toggleLarge(this);
      if (!step || !this.map) return undefined;
      event.preventDefault();
      const cells = event.shiftKey ? 10 : 1;
      const position = this.viewer.position ?? [0.5, 0.5];
      // From cell centre to cell centre, so that no rounding error skips a cell.
      return this.viewer.setPoint(
        ...position.map(
          (part, axis) => (Math.floor(part * this.map.grid[axis]) + cells * step[axis] + 0.5) / this.map.grid[axis],
        ),
      );
    });
  }

  get isLarge() {
    return this.viewer.largeId === this.id;
  }

  // In one column a map has the whole width already.
  get canEnlarge() {
    const columns = getComputedStyle(this.viewer.grid).gridTemplateColumns.split(" ").length;
    return Boolean(this.map) && this.viewer.cards.size > 1 && (columns > 1 || this.isLarge);
  }

  showSize() {
    this.node.toggleAttribute("data-large", this.isLarge);
    this.zoom.hidden = !this.map || this.viewer.cards.size < 2;
    this.zoom.textContent = this.isLarge ? "✕" : "⤢";
    const words = `${this.isLarge ? "Make smaller" : "Enlarge"}: ${this.panel.title}`;
    this.zoom.title = words;
    this.zoom.setAttribute("aria-label", words);
    this.zoom.setAttribute("aria-pressed", String(this.isLarge));
  }

  // Shows the panel's new state. An unchanged map is not decoded again.
  async update(panel, picture) {
    this.node.dataset.state = panel.state;
    this.node.toggleAttribute("data-growing", panel.state !== "done" && Boolean(panel.map));
    this.title.textContent = panel.title;
    this.name.textContent = panel.name;
    const note = panel.state === "done" ? "" : panel.message || STATE_TEXTS[panel.state] || "";
    this.note.hidden = !note;
    this.note.firstChild.textContent = note;
    this.renderWords(panel);
    this.picture = picture;
    const packed = panel.map?.values ?? null;
    const changed = packed !== this.packed;
    this.packed = packed;
    this.panel = panel;
    if (changed) this.revealed = false;
    this.veil.hidden = !this.veiled;
    this.map = panel.map ?? null;
    const [columns, rows] = this.map ? this.map.grid : [picture.naturalWidth, picture.naturalHeight];
    const factor = Math.max(1, Math.ceil(CANVAS_SIDE / Math.max(columns, rows)));
    this.canvas.setAttribute(
      "aria-label",
      this.map
        ? `${panel.title}. ${note ? `${note}. ` : ""}${this.map.alt} The arrow keys read values.`
        : `The picture. ${panel.title}: ${note}`,
    );
    if (this.map) this.canvas.tabIndex = 0;
    else this.canvas.removeAttribute("tabindex");
    this.scale.hidden = this.reading.hidden = !this.map;
    this.showSize();
    if (changed) {
      // What was drawn stays until its successor is ready: an empty picture in between would flicker.
      const values = this.map && (await unpackValues(this.map));
      if (this.packed !== packed) return; // newer data came while this was unpacked
      this.layerKey = null;
      this.values = values;
      this.enlargedValues = values && enlarge(values, this.map.grid, factor);
    }
    this.node.classList.toggle("tiny", Math.max(columns, rows) < PIXEL_ART_SIDE);
    if (this.canvas.width !== columns * factor || this.canvas.height !== rows * factor)
      Object.assign(this.canvas, { width: columns * factor, height: rows * factor });
    this.draw();
    this.showReading();
  }

  renderWords(panel) {
    const sentence = panel.sentence[this.viewer.view.palette] ?? "";
    const key = JSON.stringify([sentence, panel.caption, panel.verdict, panel.cost, panel.map?.odd, panel.saved]);
    if (key === this.wordsKey) return; // unchanged: an opened list of checks must stay open
    this.wordsKey = key;
    const parts = [createElement("p", { text: sentence.replaceAll(" %", "\u00a0%") })];
    if (panel.map?.odd) parts.push(createElement("p", { text: panel.map.odd }));
    if (panel.caption) parts.push(createElement("p", { class: "soft", text: panel.caption }));
    if (panel.verdict) parts.push(this.createBadge(panel.verdict));
    if (panel.saved) {
      const save = createElement("button", {
        type: "button",
        text: "Save picture",
        "aria-label": `Save picture: ${panel.title}`,
        onclick: () => this.viewer.save([this], this.id),
      });
      parts.push(
        createElement("div", { class: "foot" }, createElement("span", { class: "soft", text: panel.cost }), save),
      );
    }
    // A verdict that changes because another map has come stays open.
    const isOpen = this.words.querySelector("details")?.open;
    this.words.replaceChildren(...parts);
    if (isOpen) this.words.querySelector("details")?.setAttribute("open", "");
  }

  // A map that is not trustworthy is drawn only on request.
  get veiled() {
    return Boolean(this.panel?.map) && this.panel.verdict?.state === "distrust" && !this.revealed;
  }

  get show() {
    return this.veiled ? "picture" : this.viewer.view.show;
  }

  reveal() {
    this.revealed = true;
    this.veil.hidden = true;
    this.draw();
    this.showReading();
    this.canvas.focus();
  }

  // The state of the verdict; it unfolds into what was tested and what was not.
  createBadge(verdict) {
    const createItem = (level, sentence) =>
      createElement("li", { "data-level": level }, createIcon(level), createElement("span", { text: sentence }));
    const level = STATE_LEVELS[verdict.state];
    return createElement(
      "details",
      verdict.state === "distrust" ? { open: "" } : {},
      createElement("summary", { "data-level": level }, createIcon(level), verdict.title),
      createElement("p", { class: "soft", text: verdict.summary }),
      createElement(
        "ul",
        {},
        ...verdict.findings.map((finding) => createItem(finding.level, finding.sentence)),
        ...verdict.untested.map((sentence) => createItem("grey", sentence)),
      ),
    );
  }

  // The value that is drawn in full colour.
  get fullColour() {
    return this.viewer.view.scale === "shared" ? this.map.shared_scale : this.map.scale;
  }

  get caption() {
    const { scale, threshold } = this.viewer.view;
    const { show } = this;
    if (show === "picture") return "The picture as the model saw it.";
    const caption = scale === "shared" ? this.map.caption_shared : this.map.caption_own;
    return show === "outline" ? `The line runs where ${threshold} % of full colour is reached. ${caption}` : caption;
  }

  draw() {
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    const { view } = this.viewer;
    context.imageSmoothingEnabled = !this.node.classList.contains("tiny");
    context.imageSmoothingQuality = "high";
    context.globalAlpha = 1;
    context.filter = "none";
    context.clearRect(0, 0, width, height);
    context.drawImage(this.picture, 0, 0, width, height);
    if (!this.enlargedValues) return;
    const table = this.viewer.getTable(this.map.signed);
    const key = [view.palette, this.show, this.fullColour, this.show === "outline" && view.threshold].join();
    // The colours are computed only if something has changed that they depend on.
    if (this.layerKey !== key && this.show !== "picture") {
      this.layer ??= createCanvas(width, height);
      if (this.layer.width !== width || this.layer.height !== height) Object.assign(this.layer, { width, height });
      (this.show === "outline" ? drawOutline : colourise)(
        this.layer.getContext("2d"),
        this.enlargedValues,
        this.fullColour,
        table,
        this.map.signed,
        Number(view.threshold) / 100,
      );
      this.layerKey = key;
    }
    const opacity = Number(view.opacity) / 100;
    if (this.show === "colours") {
      // The stronger the map's colours are, the more the photograph loses its own.
      context.globalAlpha = Math.sqrt(opacity);
      context.drawImage(this.viewer.getGreyPicture(this.picture, width, height, context.imageSmoothingEnabled), 0, 0);
      context.globalAlpha = opacity;
    }
    if (this.show !== "picture") context.drawImage(this.layer, 0, 0);
    context.globalAlpha = 1;
    this.scale.style.visibility = this.show === "picture" ? "hidden" : "";
    this.drawLegend();
  }

  // The colour table of the map without its row for "no number", and the words of its two ends.
  get legend() {
    const table = new Uint8ClampedArray(this.viewer.getTable(this.map.signed));
    if (this.map.signed) table.copyWithin(0, 4, 8); // row 0 means "no number"
    return { table, words: this.map.signed ? ["against", "for"] : ["none", "most"] };
  }

  drawLegend() {
    const context = this.ramp.getContext("2d");
    const image = context.createImageData(256, 1);
    const { table, words } = this.legend;
    image.data.set(table);
    context.putImageData(image, 0, 0);
    [this.low.textContent, this.high.textContent] = words;
  }

  showReading() {
    const position = this.viewer.position;
    this.cross.hidden = this.tick.hidden = !position || !this.values || this.veiled;
    this.reading.classList.toggle("here", !this.cross.hidden);
    if (!this.map) return;
    if (this.cross.hidden) {
      this.reading.textContent = this.caption;
      return;
    }
    this.cross.style.left = `${100 * position[0]}%`;
    this.cross.style.top = `${100 * position[1]}%`;
    const [columns, rows] = this.map.grid;
    const column = Math.min(columns - 1, Math.floor(position[0] * columns));
    const row = Math.min(rows - 1, Math.floor(position[1] * rows));
    const value = this.values[row * columns + column] ?? NaN;
    const part = this.fullColour > 0 ? value / this.fullColour : 0;
    const sign = value > 0 ? "+" : value < 0 ? "−" : "";
    this.tick.hidden = Number.isNaN(value);
    this.tick.style.left = `${(getTableRow(part, this.map.signed) / 255) * 100}%`;
    const percent = `${sign}${Math.round(Math.abs(100 * part))} % of full colour`;
    const amount = `${sign}${formatNumber(value, this.map.peak)} ${this.map.unit}`;
    this.reading.textContent = Number.isNaN(value) ? "No number here" : `${percent}: ${amount}`;
  }
}

// ---- all cards and their toolbar ------------------------------------------------------------------------------------

class Viewer {
  constructor(parent, palettes) {
    this.palettes = Object.fromEntries(
      Object.entries(palettes).map(([name, p]) => [
        name,
        { title: p.title, signed: decodeBase64(p.signed), unsigned: decodeBase64(p.unsigned) },
      ]),
    );
    this.view = readView(this.palettes);
    this.cards = new Map();
    this.rowTitles = new Map();
    this.pictures = new Map();
    this.greyPictures = new WeakMap();
    this.position = null;
    this.largeId = null;
    this.grid = createElement("div", { class: "grid" });
    this.node = createElement("div", { class: "wb" }, this.createToolbar(), this.grid, this.createFoot());
    parent.append(this.node);
  }

  createToolbar() {
    const id = "wb" + Math.random().toString(36).slice(2, 8);
    this.sliders = {
      opacity: this.createSlider("opacity", "Strength of the colours", 0, id),
      threshold: this.createSlider("threshold", "Draw the line at", LOWEST_THRESHOLD, id),
    };
    this.select = createElement(
      "select",
      { id: id + "p", onchange: (event) => this.setOption("palette", event.target.value) },
      ...Object.entries(this.palettes).map(([name, palette]) =>
        createElement("option", { value: name, text: palette.title }),
      ),
    );
    this.scales = this.createChoices("scale", "Colour scale", SCALES, id);
    this.more = createElement("button", {
      type: "button",
      text: "More",
      "aria-label": "More settings of how the maps are shown",
      "aria-expanded": "false",
      onclick: () => this.setFolded(!this.settings.hidden),
    });
    this.settings = createElement(
      "div",
      { class: "settings", hidden: "" },
      this.sliders.opacity,
      createElement("div", { class: "field" }, createElement("label", { for: id + "p", text: "Palette" }), this.select),
      this.scales,
    );
    this.bar = createElement(
      "div",
      { class: "bar", role: "group", "aria-label": "How the maps are shown" },
      this.createChoices("show", "Show", SHOWS, id),
      this.sliders.threshold,
      this.more,
      this.settings,
    );
    return this.bar;
  }

  createSlider(name, title, min, id) {
    const oninput = (event) => this.setOption(name, event.target.value);
    const input = createElement("input", { id: id + name, type: "range", min, max: 100, step: 1, oninput });
    return createElement(
      "div",
      { class: `field ${name}` },
      createElement("label", { for: id + name, text: title }),
      createElement("div", { class: "slide" }, input, createElement("output", { for: id + name })),
    );
  }

  createFoot() {
    const hasValues = (card) => card.enlargedValues && card.panel.saved;
    this.saveAll = createElement("button", {
      type: "button",
      text: "Save all as one picture",
      onclick: () => this.save([...this.cards.values()].filter(hasValues), "comparison"),
    });
    return createElement("div", { class: "end" }, this.saveAll);
  }

  setFolded(folded) {
    this.settings.hidden = folded;
    this.more.setAttribute("aria-expanded", String(!folded));
  }

  // One map at a time stands large above the others, with its text beside it.
  toggleLarge(card) {
    this.largeId = card.isLarge ? null : card.id;
    for (const each of this.cards.values()) each.showSize();
    card.node.scrollIntoView({ block: "nearest" });
  }

  createChoices(name, title, options, id) {
    const items = Object.entries(options).map(([value, text]) =>
      createElement(
        "label",
        {},
        createElement("input", {
          type: "radio",
          name: id + name,
          value,
          "data-view": name,
          onchange: () => this.setOption(name, value),
        }),
        createElement("span", { text }),
      ),
    );
    return createElement(
      "fieldset",
      { class: "field", "aria-label": title },
      ...(name === "show" ? [] : [createElement("legend", { text: title })]),
      createElement("div", { class: "choices" }, ...items),
    );
  }

  getTable(signed) {
    return this.palettes[this.view.palette][signed ? "signed" : "unsigned"];
  }

  getGreyPicture(picture, width, height, smooth) {
    const cached = this.greyPictures.get(picture);
    if (cached?.width !== width || cached.height !== height) {
      const canvas = createCanvas(width, height);
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.imageSmoothingEnabled = smooth;
      context.imageSmoothingQuality = "high";
      context.drawImage(picture, 0, 0, width, height);
      const image = context.getImageData(0, 0, width, height);
      const data = image.data;
      for (let index = 0; index < data.length; index += 4)
        data[index] =
          data[index + 1] =
          data[index + 2] =
            0.299 * data[index] + 0.587 * data[index + 1] + 0.114 * data[index + 2];
      context.putImageData(image, 0, 0);
      this.greyPictures.set(picture, canvas);
    }
    return this.greyPictures.get(picture);
  }

  setOption(name, value) {
    this.view[name] = value;
    this.renderToolbar();
    // Not for every step of the slider: browsers limit how often an address may change.
    clearTimeout(this.saveTimer);
    this.saveTimer = setTimeout(() => saveView(this.view), 150);
    for (const card of this.cards.values()) {
      // A sentence names the colours that are shown.
      if (name === "palette") card.renderWords(card.panel);
      if (card.enlargedValues) {
        card.draw();
        card.showReading();
      }
    }
  }

  renderToolbar() {
    for (const [name, field] of Object.entries(this.sliders)) {
      const input = field.querySelector("input");
      input.value = this.view[name];
      input.setAttribute("aria-valuetext", `${this.view[name]} percent`);
      field.querySelector("output").textContent = `${this.view[name]} %`;
    }
    this.sliders.opacity.querySelector("input").disabled = this.view.show !== "colours";
    this.sliders.threshold.hidden = this.view.show !== "outline";
    this.select.value = this.view.palette;
    for (const input of this.bar.querySelectorAll("[data-view]"))
      input.checked = this.view[input.dataset.view] === input.value;
    const maps = [...this.cards.values()].filter((card) => card.map && card.panel.saved);
    this.saveAll.disabled = !maps.length;
    this.saveAll.parentElement.hidden = this.scales.hidden = this.cards.size < 2;
  }

  setPoint(x, y) {
    const clampInside = (part) => Math.max(0, Math.min(0.99999, part));
    // Less than 1, so that the last column and row are not passed.
    this.position = x === null ? null : [clampInside(x), clampInside(y)];
    for (const card of this.cards.values()) card.showReading();
  }

  async update(data) {
    const ids = data.panels.map((panel) => panel.id);
    const updateToken = (this.updateToken = {});
    const pictures = new Map();
    for (const address of data.pictures)
      pictures.set(address, this.pictures.get(address) ?? (await loadPicture(address)));
    if (this.updateToken !== updateToken) return; // newer data came while the pictures were loading
    this.pictures = pictures;
    for (const [id, card] of this.cards)
      if (!ids.includes(id)) {
        card.node.remove();
        this.cards.delete(id);
      }
    const cards = new Map(ids.map((id) => [id, this.cards.get(id) ?? new Card(this, id)]));
    this.cards = cards;
    const order = this.listRows(data.panels);
    // Only if the order has changed: nodes that are put in again lose the focus.
    if (order.length !== this.grid.children.length || order.some((node, index) => this.grid.children[index] !== node))
      this.grid.replaceChildren(...order);
    this.grid.dataset.count = ids.length;
    const hasRows = data.panels.some((panel) => panel.row);
    this.grid.toggleAttribute("data-rows", hasRows);
    this.scales.querySelector('[value="shared"] + span').textContent = hasRows ? "One for each row" : SCALES.shared;
    this.grid.style.setProperty(
      "--count",
      Math.max(...data.panels.map((panel) => data.panels.filter((other) => other.row === panel.row).length)),
    );
    this.updateTheme();
    const updates = data.panels.map((panel) =>
      cards.get(panel.id).update(panel, pictures.get(data.pictures[panel.picture])),
    );
    this.renderToolbar();
    saveView(this.view);
    await Promise.all(updates);
  }

  // The nodes of the cards in order, before each row with a title the node of that title.
  listRows(panels) {
    const order = [];
    panels.forEach((panel, index) => {
      if (panel.row && panel.row !== panels[index - 1]?.row) {
        const title = this.rowTitles.get(panel.row) ?? createElement("h2", { class: "row", text: panel.row });
        this.rowTitles.set(panel.row, title);
        order.push(title);
      }
      order.push(this.cards.get(panel.id).node);
    });
    return order;
  }

  // The colours of badges depend on whether the theme is dark, which only its background colour says.
  updateTheme() {
    const context = createCanvas(1, 1).getContext("2d");
    context.fillStyle = getComputedStyle(this.node).getPropertyValue("--st-background-color").trim() || "#fff";
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
    this.node.classList.toggle("dark", red + green + blue < 384);
  }

  save(cards, name) {
    drawSheet(cards).toBlob((blob) => {
      const link = createElement("a", {
        href: URL.createObjectURL(blob),
        download: `whybox-${name.replace(/[^\w-]+/g, "-")}.png`,
      });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    }, "image/png");
  }

  showError(error) {
    const isOldBrowser = typeof DecompressionStream === "undefined";
    const text = isOldBrowser
      ? "This browser is too old to draw the maps. Please update it."
      : `The maps could not be drawn. ${error.message}`;
    this.grid.replaceChildren(createElement("p", { role: "alert", text }));
    this.cards.clear();
  }

  dispose() {
    clearTimeout(this.saveTimer);
    this.node.remove();
  }
}

export default function ({ data, parentElement }) {
  return mountComponent(
    parentElement,
    () => new Viewer(parentElement, data.palettes),
    (viewer) => viewer.update(data).catch((error) => viewer.showError(error)),
  );
}
