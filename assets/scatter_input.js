// Mouse, touch and keyboard input of the map. Must come before scatter.js, whose Scatter (here `map`) owns the camera,
// the current point and the chosen points.

const SPACE_POINTS = 24; // how many points the space bar chooses
// Distance in pixels at which a mouse or a finger still means a point.
const MOUSE_REACH = 12;
const FINGER_REACH = 24;
const ARROW_STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class InputHandler {
  constructor(map) {
    Object.assign(this, { map, stage: map.stage, gesture: null, pointers: new Map() });
    const { stage } = this;
    for (const [name, method] of [
      ["pointerdown", "startGesture"],
      ["pointermove", "continueGesture"],
      ["pointerup", "endGesture"],
      ["pointercancel", "releasePointer"],
      ["keydown", "handleKey"],
    ]) {
      stage.addEventListener(name, (event) => map.camera && this[method](event));
    }
    stage.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && map.pointAt(-1));
    stage.addEventListener("blur", () => map.pointAt(-1));
    stage.addEventListener("contextmenu", (event) => event.preventDefault()); // the right button moves a 3-D map
    stage.addEventListener("wheel", (event) => map.camera && this.handleWheel(event), { passive: false });
    // Two fingers act on the map; one finger that goes up or down scrolls the page.
    const stopPageZoom = (event) => event.touches.length > 1 && event.preventDefault();
    stage.addEventListener("touchmove", stopPageZoom, { passive: false });
  }

  // Gives up the gesture, because other points are shown now.
  reset() {
    this.pointers.clear();
    this.gesture = null;
    this.drawLasso([]);
  }

  getPosition(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left - this.stage.clientLeft, event.clientY - box.top - this.stage.clientTop];
  }

  startGesture(event) {
    const { map } = this;
    const position = this.getPosition(event);
    const lasso = map.tool === "lasso" || event.shiftKey;
    const pan = !map.camera.is3d || event.button === 2 || event.ctrlKey;
    this.stage.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, position);
    const kind = this.pointers.size > 1 ? "pinch" : lasso && event.button === 0 ? "lasso" : pan ? "pan" : "turn";
    this.gesture = { kind, start: position, line: [position], hasMoved: kind === "pinch" };
    this.drawLasso([]);
  }

  continueGesture(event) {
    const position = this.getPosition(event);
    const before = this.pointers.get(event.pointerId);
    const { gesture } = this;
    // Nothing is held down: this is only pointing.
    if (!before || !gesture) return this.map.pointAt(this.map.camera.findNearest(...position, MOUSE_REACH));
    if (gesture.kind === "pinch") return this.pinch(event.pointerId, position);
    // A movement of a few pixels is still a click or a tap.
    gesture.hasMoved ||=
      Math.hypot(position[0] - gesture.start[0], position[1] - gesture.start[1]) >
      (event.pointerType === "mouse" ? 3 : 8);
    if (!gesture.hasMoved) return undefined;
    this.map.pointAt(-1);
    this.pointers.set(event.pointerId, position);
    if (gesture.kind === "lasso") return this.extendLasso(position);
    return this.map.moveCamera(() =>
      this.map.camera[gesture.kind === "pan" ? "pan" : "rotate"](position[0] - before[0], position[1] - before[1]),
    );
  }

  pinch(pointerId, position) {
    const getMiddle = () =>
      [0, 1].map((axis) => [...this.pointers.values()].reduce((sum, spot) => sum + spot[axis], 0) / this.pointers.size);
    const getSpread = () => {
      const [a, b] = [...this.pointers.values()];
      return b ? Math.hypot(a[0] - b[0], a[1] - b[1]) || 1 : 1;
    };
    const [oldMiddle, oldSpread] = [getMiddle(), getSpread()];
    this.pointers.set(pointerId, position);
    const newMiddle = getMiddle();
    this.map.moveCamera(() => {
      this.map.camera.pan(newMiddle[0] - oldMiddle[0], newMiddle[1] - oldMiddle[1]);
      this.map.camera.zoomBy(getSpread() / oldSpread, ...newMiddle);
    });
  }

  extendLasso(position) {
    const { line } = this.gesture;
    const [x, y] = line.at(-1);
    if (Math.hypot(position[0] - x, position[1] - y) < 3) return;
    line.push(position);
    this.drawLasso(line);
  }

  drawLasso(line) {
    this.map.lassoLine.setAttribute("points", line.map((spot) => spot.map((part) => part.toFixed(1)).join()).join(" "));
  }

  endGesture(event) {
    const { gesture } = this;
    this.releasePointer(event);
    if (!gesture || event.button > 0 || this.pointers.size) return;
    if (gesture.hasMoved && gesture.kind !== "lasso") return;
    if (gesture.kind === "lasso" && gesture.line.length > 2)
      return this.map.choose("lasso", this.map.camera.findInside(gesture.line));
    const isTouch = event.pointerType !== "mouse";
    const point = this.map.camera.findNearest(...this.getPosition(event), isTouch ? FINGER_REACH : MOUSE_REACH);
    if (isTouch) this.map.pointAt(point, 0);
    if (point >= 0) this.map.choose("click", [point]);
  }

  releasePointer(event) {
    this.pointers.delete(event.pointerId);
    this.drawLasso([]);
    if (!this.pointers.size || this.gesture?.kind !== "pinch") this.gesture = null;
  }

  // As with maps on other pages, the wheel scrolls the page until the visitor has clicked the map or holds Ctrl.
  handleWheel(event) {
    const isZoomKeyHeld = event.ctrlKey || event.metaKey;
    const isOurs = isZoomKeyHeld || this.map.node.getRootNode().activeElement === this.stage;
    if (!isOurs) return this.showHint("Click the map first, or hold Ctrl, to zoom with the wheel.");
    // All points are in view already: let the page scroll.
    if (!isZoomKeyHeld && event.deltaY > 0 && this.map.camera.zoom <= 1) return undefined;
    event.preventDefault();
    this.map.hint.hidden = true;
    // Some browsers count the wheel in lines instead of pixels.
    const lineHeight = event.deltaMode === 1 ? 30 : 1;
    return this.map.moveCamera(() =>
      this.map.camera.zoomBy(
        Math.exp(-Math.max(-200, Math.min(200, event.deltaY * lineHeight)) * (isZoomKeyHeld ? 0.008 : 0.002)),
        ...this.getPosition(event),
      ),
    );
  }

  showHint(text) {
    this.map.hint.textContent = text;
    this.map.hint.hidden = false;
    clearTimeout(this.hintTimer);
    this.hintTimer = setTimeout(() => {
      this.map.hint.hidden = true;
    }, 1500);
  }

  // ---- keyboard ---------------------------------------------------------------------------------------------------

  handleKey(event) {
    const step = ARROW_STEPS[event.key];
    const { camera, current } = this.map;
    // Escape ends the gesture, else the choice, else the pointing.
    const actions = {
      Escape: () =>
        this.gesture
          ? this.releasePointer({ pointerId: [...this.pointers.keys()][0] })
          : this.map.chosen.length
            ? this.map.choose("clear", [])
            : this.map.pointAt(-1),
      Enter: () => current >= 0 && this.map.choose("click", [current]),
      " ": () => current >= 0 && this.map.choose("lasso", camera.findAround(current, SPACE_POINTS)),
      "+": () => camera.zoomBy(1.5),
      "=": () => camera.zoomBy(1.5),
      "-": () => camera.zoomBy(1 / 1.5),
      0: () => camera.resetView(),
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !(step || Object.hasOwn(actions, event.key))) return;
    event.preventDefault();
    if (!step) return this.map.moveCamera(actions[event.key]);
    if (event.shiftKey)
      return this.map.moveCamera(() => camera[camera.is3d ? "rotate" : "pan"](-40 * step[0], -40 * step[1]));
    return this.walk(step);
  }

  // Goes to the next point in a direction, at first to the one in the middle. Says its words for screen readers.
  walk(step) {
    const { camera } = this.map;
    const findMiddle = () => camera.findNearest(camera.width / 2, camera.height / 2, Infinity);
    const next = this.map.current < 0 ? findMiddle() : camera.findNext(this.map.current, step);
    if (next < 0) return;
    const [x, y] = this.map.getScreenPosition(next);
    if (!camera.isVisible(x, y)) camera.pan(camera.width / 2 - x, camera.height / 2 - y);
    this.map.pointAt(next, 0);
    this.map.announcement.textContent = `${this.map.texts[next] ?? ""}. Point ${next + 1} of ${this.map.cloud.count}.`;
  }
}
