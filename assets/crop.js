// The original picture with a frame around what the model sees. The frame is moved by dragging or with the arrow keys;
// the server gets its place when it is let go. pages/ui/image/framing.py puts this file behind component.js.

const KEY_STEP = 0.05; // of the way from one end to the other
const KEY_DELAY = 600; // milliseconds after the last key until the place is sent

class Crop {
  constructor(parent) {
    this.image = createElement("img");
    this.frame = createElement("div", {
      class: "frame",
      role: "slider",
      tabindex: 0,
      "aria-label": "Part of the picture that the model sees. The arrow keys move it.",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      onpointerdown: (event) => this.startDrag(event),
      onpointermove: (event) => this.drag(event),
      onpointerup: () => this.endDrag(),
      onpointercancel: () => this.endDrag(),
      onkeydown: (event) => this.press(event),
    });
    this.ground = createElement("div", { class: "ground" }, this.image, this.frame);
    this.node = createElement("div", { class: "crop" }, this.ground);
    parent.append(this.node);
  }

  update(data, send) {
    this.send = send;
    if (this.image.src !== data.picture) this.image.src = data.picture;
    this.image.alt = data.alt;
    this.size = data.size;
    this.frame.hidden = !this.size;
    if (!this.size || this.isMoving) return;
    this.place = data.place;
    this.draw();
  }

  // Whether the place has changed here and was not yet sent.
  get isMoving() {
    return Boolean(this.from || this.timer);
  }

  draw() {
    ["left", "top"].forEach((side, axis) => {
      this.frame.style[side] = `${100 * this.place[axis] * (1 - this.size[axis])}%`;
    });
    ["width", "height"].forEach((side, axis) => (this.frame.style[side] = `${100 * this.size[axis]}%`));
    const [across, down] = this.place.map((part) => Math.round(100 * part));
    this.frame.setAttribute("aria-valuenow", across);
    this.frame.setAttribute("aria-valuetext", `${across} percent to the right, ${down} percent down`);
  }

  // Where the frame has no way to go it stays in the middle.
  move(place) {
    this.place = place.map((part, axis) => (this.size[axis] < 0.999 ? Math.max(0, Math.min(1, part)) : 0.5));
    this.draw();
  }

  startDrag(event) {
    this.frame.setPointerCapture(event.pointerId);
    this.from = { x: event.clientX, y: event.clientY, place: this.place };
  }

  drag(event) {
    if (!this.from) return;
    const box = this.ground.getBoundingClientRect();
    const steps = [(event.clientX - this.from.x) / box.width, (event.clientY - this.from.y) / box.height];
    this.move(this.from.place.map((part, axis) => part + steps[axis] / Math.max(1 - this.size[axis], 0.001)));
  }

  endDrag() {
    const moved = this.from && this.from.place.join() !== this.place.join();
    this.from = null;
    if (moved) this.send(this.place);
  }

  press(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    this.move(this.place.map((part, axis) => part + step[axis] * KEY_STEP));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.send(this.place);
    }, KEY_DELAY);
  }

  dispose() {
    clearTimeout(this.timer);
    this.node.remove();
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  return mountComponent(
    parentElement,
    () => new Crop(parentElement),
    (crop) => crop.update(data, (place) => setTriggerValue("moved", place)),
  );
}
