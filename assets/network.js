// The network as a map: one box a block, as high as its maps are large and as wide as they are many. A click or Enter
// sends the block's number to the page.

const MIN_HEIGHT = 4, MAX_HEIGHT = 96, MIN_WIDTH = 6, MAX_WIDTH = 40;

function createBlock(block, largest, most) {
  const box = createElement("span", { class: block.rows ? "box" : "box flat" });
  const height = MIN_HEIGHT + (MAX_HEIGHT - MIN_HEIGHT) * (block.rows / largest);
  const width = MIN_WIDTH + (MAX_WIDTH - MIN_WIDTH) * (Math.log2(1 + block.channels) / Math.log2(1 + most));
  Object.assign(box.style, { height: `${height}px`, width: `${width}px` });
  const button = createElement(
    "button",
    { type: "button", title: block.words, "aria-label": block.words, "data-number": block.number },
    box,
    createElement("span", { class: "size", text: block.rows ? `${block.rows}²` : "–" }),
    createElement("span", { class: "count", text: block.channels ? `× ${block.channels}` : "" }),
  );
  button.disabled = !block.rows;
  return button;
}

class NetworkMap {
  constructor(parent) {
    this.node = createElement("div", { class: "network", role: "group" });
    this.node.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button && !button.disabled) this.sendPick(Number(button.dataset.number));
    });
    parent.append(this.node);
  }

  update({ blocks, label }, sendPick) {
    this.sendPick = sendPick;
    const newKey = JSON.stringify(blocks);
    if (newKey === this.blocksKey) return;
    this.blocksKey = newKey;
    const largest = Math.max(1, ...blocks.map((block) => block.rows));
    const most = Math.max(1, ...blocks.map((block) => block.channels));
    this.node.replaceChildren(...blocks.map((block) => createBlock(block, largest, most)));
    this.node.setAttribute("aria-label", label);
  }

  dispose() {
    this.node.remove();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  return mountComponent(
    parentElement,
    () => new NetworkMap(parentElement),
    (map) => map.update(data, (number) => setTriggerValue("picked", number)),
  );
}
