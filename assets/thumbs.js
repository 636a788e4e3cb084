// A grid of small pictures: a click, or Enter, tells the page which one. Words from data enter as text, never as markup.

function tile(item) {
  const picture = make("span", { class: "picture" }, make("img", { src: item.src, alt: "", class: item.tiny ? "tiny" : null, draggable: "false" }));
  if (item.box) {
    const [left, top, right, bottom] = item.box.map((share) => `${100 * share}%`);
    const box = make("span", { class: "box" });
    Object.assign(box.style, { left, top, width: `calc(${right} - ${left})`, height: `calc(${bottom} - ${top})` });
    picture.append(box);
  }
  const button = make("button", { type: "button", tabindex: "-1", title: item.words, "aria-label": item.words, "data-row": item.row }, picture);
  if (item.caption) button.append(make("span", { class: "caption", text: item.caption }));
  return button;
}

class Grid {
  constructor(parent) {
    this.node = make("div", { class: "thumbs", role: "group" });
    this.node.addEventListener("click", (event) => this.pick(event.target.closest("button")));
    this.node.addEventListener("keydown", (event) => this.move(event));
    parent.append(this.node);
  }

  take({ items, current, label, size }, tell) {
    this.tell = tell;
    const wanted = JSON.stringify(items);
    if (wanted !== this.shown) {
      const held = this.node.contains(this.node.getRootNode().activeElement);
      this.node.replaceChildren(...items.map(tile));
      this.shown = wanted;
      if (held) this.node.firstElementChild?.focus();
    }
    this.node.setAttribute("aria-label", label);
    this.node.style.setProperty("--size", `${size}px`);
    this.node.classList.toggle("large", size > 80);
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(Number(button.dataset.row) === current));
    this.stop(this.buttons.find((button) => button.getAttribute("aria-pressed") === "true") ?? this.buttons[0]);
  }

  dispose() { this.node.remove(); }

  get buttons() { return [...this.node.children]; }

  // One stop for the tab key; the arrows move inside.
  stop(button) {
    for (const each of this.buttons) each.tabIndex = each === button ? 0 : -1;
  }

  pick(button) {
    if (!button) return;
    this.tell(Number(button.dataset.row));
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    document.querySelector(".st-key-set_detail")?.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  }

  move(event) {
    const all = this.buttons, at = all.indexOf(event.target.closest("button"));
    if (at < 0) return;
    const across = all.filter((button) => button.offsetTop === all[0].offsetTop).length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across, Home: -at, End: all.length - 1 - at }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
    this.stop(next);
    next.focus();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  return lasting(parentElement, () => new Grid(parentElement), (grid) => grid.take(data, (row) => setTriggerValue("picked", row)));
}
