// A grid of small pictures: a click or Enter sends the number of its row to the page. Text from data is set as text,
// never as markup.

function createTile(item) {
  const picture = createElement(
    "span",
    { class: "picture" },
    createElement("img", { src: item.src, alt: "", class: item.tiny ? "tiny" : null, draggable: "false" }),
  );
  if (item.box) {
    const [left, top, right, bottom] = item.box.map((share) => `${100 * share}%`);
    const box = createElement("span", { class: "box" });
    Object.assign(box.style, { left, top, width: `calc(${right} - ${left})`, height: `calc(${bottom} - ${top})` });
    picture.append(box);
  }
  const button = createElement(
    "button",
    { type: "button", tabindex: "-1", title: item.words, "aria-label": item.words, "data-row": item.row },
    picture,
  );
  // A number and its percent sign stay on one line.
  const text = item.caption?.replaceAll(" %", "\u00a0%");
  if (text) button.append(createElement("span", { class: "caption", text }));
  return button;
}

class Grid {
  constructor(parent) {
    this.node = createElement("div", { class: "thumbs", role: "group" });
    this.node.addEventListener("click", (event) => this.pick(event.target.closest("button")));
    this.node.addEventListener("keydown", (event) => this.moveFocus(event));
    parent.append(this.node);
  }

  update({ items, current, label, size }, sendPick) {
    this.sendPick = sendPick;
    const newKey = JSON.stringify(items);
    // Unchanged pictures are not built again, so that the focus stays where it is.
    if (newKey !== this.itemsKey) {
      const hadFocus = this.node.contains(this.node.getRootNode().activeElement);
      this.node.replaceChildren(...items.map(createTile));
      this.itemsKey = newKey;
      if (hadFocus) this.node.firstElementChild?.focus();
    }
    this.node.setAttribute("aria-label", label);
    this.node.style.setProperty("--size", `${size}px`);
    this.node.classList.toggle("large", size > 80);
    for (const button of this.buttons)
      button.setAttribute("aria-pressed", String(Number(button.dataset.row) === current));
    this.setTabStop(this.buttons.find((button) => button.getAttribute("aria-pressed") === "true") ?? this.buttons[0]);
  }

  dispose() {
    this.node.remove();
  }

  get buttons() {
    return [...this.node.children];
  }

  // The tab key stops at one button only; the arrow keys move among them.
  setTabStop(button) {
    for (const other of this.buttons) other.tabIndex = other === button ? 0 : -1;
  }

  pick(button) {
    if (!button) return;
    this.sendPick(Number(button.dataset.row));
    const wantsLessMotion = matchMedia("(prefers-reduced-motion: reduce)").matches;
    document
      .querySelector(".st-key-set_detail")
      ?.scrollIntoView({ block: "nearest", behavior: wantsLessMotion ? "auto" : "smooth" });
  }

  moveFocus(event) {
    const buttons = this.buttons;
    const index = buttons.indexOf(event.target.closest("button"));
    if (index < 0) return;
    // The buttons of the first row are as high up as the first one.
    const columns = buttons.filter((button) => button.offsetTop === buttons[0].offsetTop).length;
    const step = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -columns,
      ArrowDown: columns,
      Home: -index,
      End: buttons.length - 1 - index,
    }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = buttons[Math.min(Math.max(index + step, 0), buttons.length - 1)];
    this.setTabStop(next);
    next.focus();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  return mountComponent(
    parentElement,
    () => new Grid(parentElement),
    (grid) => grid.update(data, (row) => setTriggerValue("picked", row)),
  );
}
