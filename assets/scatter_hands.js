// What a mouse, fingers and keys do on the map. Read before scatter.js, whose Scatter (here `map`) owns the camera, the point shown and the choice.

const AROUND = 24; // points that the space bar takes
const MOUSE = 12, FINGER = 24; // how far from a point still means this point
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class Hands {
  constructor(map) {
    Object.assign(this, { map, stage: map.stage, gesture: null, fingers: new Map() });
    const { stage } = this;
    for (const [name, act] of [["pointerdown", "down"], ["pointermove", "drag"], ["pointerup", "up"], ["pointercancel", "drop"], ["keydown", "press"]]) {
      stage.addEventListener(name, (event) => map.camera && this[act](event));
    }
    stage.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && map.point(-1));
    stage.addEventListener("blur", () => map.point(-1));
    stage.addEventListener("contextmenu", (event) => event.preventDefault()); // the right button moves a solid map
    stage.addEventListener("wheel", (event) => map.camera && this.wheel(event), { passive: false });
    // Two fingers are ours, one that goes up or down scrolls the page.
    stage.addEventListener("touchmove", (event) => event.touches.length > 1 && event.preventDefault(), { passive: false });
  }

  letGo() {
    this.fingers.clear();
    this.gesture = null;
    this.outline([]);
  }

  at(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left - this.stage.clientLeft, event.clientY - box.top - this.stage.clientTop];
  }

  down(event) {
    const { map } = this, at = this.at(event), lasso = map.tool === "lasso" || event.shiftKey, pan = !map.camera.solid || event.button === 2 || event.ctrlKey;
    this.stage.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, at);
    const kind = this.fingers.size > 1 ? "pinch" : lasso && event.button === 0 ? "lasso" : pan ? "pan" : "turn";
    this.gesture = { kind, from: at, line: [at], far: kind === "pinch" };
    this.outline([]);
  }

  drag(event) {
    const at = this.at(event), before = this.fingers.get(event.pointerId), { gesture } = this;
    if (!before || !gesture) return this.map.point(this.map.camera.nearest(...at, MOUSE));
    if (gesture.kind === "pinch") return this.pinch(event.pointerId, at);
    gesture.far ||= Math.hypot(at[0] - gesture.from[0], at[1] - gesture.from[1]) > (event.pointerType === "mouse" ? 3 : 8);
    if (!gesture.far) return undefined;
    this.map.point(-1);
    this.fingers.set(event.pointerId, at);
    if (gesture.kind === "lasso") return this.trail(at);
    return this.map.move(() => this.map.camera[gesture.kind === "pan" ? "pan" : "rotate"](at[0] - before[0], at[1] - before[1]));
  }

  pinch(finger, at) {
    const middle = () => [0, 1].map((axis) => [...this.fingers.values()].reduce((sum, spot) => sum + spot[axis], 0) / this.fingers.size);
    const spread = () => { const [a, b] = [...this.fingers.values()]; return b ? Math.hypot(a[0] - b[0], a[1] - b[1]) || 1 : 1; };
    const [from, wide] = [middle(), spread()];
    this.fingers.set(finger, at);
    const to = middle();
    this.map.move(() => { this.map.camera.pan(to[0] - from[0], to[1] - from[1]); this.map.camera.magnify(spread() / wide, ...to); });
  }

  trail(at) {
    const { line } = this.gesture, [x, y] = line.at(-1);
    if (Math.hypot(at[0] - x, at[1] - y) < 3) return;
    line.push(at);
    this.outline(line);
  }

  outline(line) { this.map.line.setAttribute("points", line.map((spot) => spot.map((part) => part.toFixed(1)).join()).join(" ")); }

  up(event) {
    const { gesture } = this;
    this.drop(event);
    if (!gesture || event.button > 0 || this.fingers.size) return;
    if (gesture.far && gesture.kind !== "lasso") return;
    if (gesture.kind === "lasso" && gesture.line.length > 2) return this.map.choose("lasso", this.map.camera.inside(gesture.line));
    const touch = event.pointerType !== "mouse", found = this.map.camera.nearest(...this.at(event), touch ? FINGER : MOUSE);
    if (touch) this.map.point(found, 0);
    if (found >= 0) this.map.choose("click", [found]);
  }

  drop(event) {
    this.fingers.delete(event.pointerId);
    this.outline([]);
    if (!this.fingers.size || this.gesture?.kind !== "pinch") this.gesture = null;
  }

  // Like maps in other pages: the wheel scrolls the page until the visitor has clicked the map or holds Ctrl.
  wheel(event) {
    const held = event.ctrlKey || event.metaKey, mine = held || this.map.node.getRootNode().activeElement === this.stage;
    if (!mine) return this.advise("Click the map first, or hold Ctrl, to zoom with the wheel.");
    if (!held && event.deltaY > 0 && this.map.camera.zoom <= 1) return undefined; // nothing more to see: the page may scroll on
    event.preventDefault();
    this.map.hint.hidden = true;
    const lines = event.deltaMode === 1 ? 30 : 1;
    return this.map.move(() => this.map.camera.magnify(Math.exp(-Math.max(-200, Math.min(200, event.deltaY * lines)) * (held ? 0.008 : 0.002)), ...this.at(event)));
  }

  advise(text) {
    this.map.hint.textContent = text;
    this.map.hint.hidden = false;
    clearTimeout(this.silence);
    this.silence = setTimeout(() => { this.map.hint.hidden = true; }, 1500);
  }

  // ---- keys ---------------------------------------------------------------------------------------------------------------------------

  press(event) {
    const step = STEPS[event.key], { camera, here } = this.map;
    const acts = {
      Escape: () => (this.gesture ? this.drop({ pointerId: [...this.fingers.keys()][0] }) : this.map.chosen.length ? this.map.choose("clear", []) : this.map.point(-1)),
      Enter: () => here >= 0 && this.map.choose("click", [here]),
      " ": () => here >= 0 && this.map.choose("lasso", camera.around(here, AROUND)),
      "+": () => camera.magnify(1.5), "=": () => camera.magnify(1.5), "-": () => camera.magnify(1 / 1.5), 0: () => camera.home(),
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !(step || Object.hasOwn(acts, event.key))) return;
    event.preventDefault();
    if (!step) return this.map.move(acts[event.key]);
    if (event.shiftKey) return this.map.move(() => camera[camera.solid ? "rotate" : "pan"](-40 * step[0], -40 * step[1]));
    return this.walk(step);
  }

  walk(step) {
    const { camera } = this.map, middle = () => camera.nearest(camera.width / 2, camera.height / 2, Infinity);
    const next = this.map.here < 0 ? middle() : camera.next(this.map.here, step);
    if (next < 0) return;
    const [x, y] = this.map.spot(next);
    if (!camera.sees(x, y)) camera.pan(camera.width / 2 - x, camera.height / 2 - y);
    this.map.point(next, 0);
    this.map.said.textContent = `${this.map.texts[next] ?? ""}. Point ${next + 1} of ${this.map.cloud.count}.`;
  }
}
