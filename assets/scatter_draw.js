// Two ways to draw the points: WebGL 2 where there is a graphics card for it, else pixel by pixel. Read before scatter.js.
// A scene is { cloud, colours (red, green, blue, shape of each point), chosen (numbers), camera, size, ink, paper }: lengths in CSS pixels.

const QUIET = 0.2; // opacity of points that are not chosen while others are
const RIM = 0.45; // how much of the text colour is in a point's edge

const bold = (size) => 1.25 * size + 0.5; // the radius of points that are chosen
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

const VERTEX = `#version 300 es
in vec3 place; in vec4 look;
uniform mat3 turn; uniform vec2 centre, unit; uniform float eye, size, ratio;
out vec3 colour; flat out int shape; out float radius;
void main() {
  vec3 at = turn * place;
  float lens = eye > 0.0 ? eye / (eye - at.z) : 1.0;
  gl_Position = vec4((at.xy * lens - centre) * unit, -0.5 * at.z, 1.0);
  radius = size * lens * ratio;
  gl_PointSize = 2.0 * radius + 2.0;
  colour = look.rgb; shape = int(look.a * 255.0 + 0.5);
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec3 colour; flat in int shape; in float radius;
uniform vec3 ink; uniform float opacity, rim, edge;
out vec4 seen;
float outside(vec2 p) { // how far beyond the edge of its shape, in radii
  vec2 q = abs(p);
  if (shape == 1) return max(q.x, q.y) - 0.86;
  if (shape == 2) return max(q.x * 0.866 - p.y * 0.5, p.y) - 0.55;
  if (shape == 3) return (q.x + q.y - 1.1) * 0.7071;
  if (shape == 4) return max(min(q.x, q.y) - 0.34, max(q.x, q.y) - 1.0);
  return length(p) - 0.95;
}
void main() {
  vec2 p = (gl_PointCoord * 2.0 - 1.0) * (radius + 1.0) / radius;
  float far = outside(vec2(p.x, p.y)) * radius, cover = clamp(0.5 - far, 0.0, 1.0);
  if (cover < 0.1) discard;
  vec3 mixed = mix(colour, ink, edge * clamp(0.5 + far + rim, 0.0, 1.0));
  seen = vec4(mixed, 1.0) * cover * opacity;
}`;

function program(gl) {
  const made = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(gl.getProgramInfoLog(made) || "The shaders could not be linked.");
  return made;
}

class WebGlPainter {
  // null where the browser has no WebGL 2, or only one in software: not every browser keeps to failIfMajorPerformanceCaveat.
  static on(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: false, failIfMajorPerformanceCaveat: true });
    if (!gl) return null;
    const card = gl.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER;
    return SOFTWARE.test(gl.getParameter(card)) ? null : new WebGlPainter(canvas, gl);
  }

  static finest() { return 2; }

  constructor(canvas, gl) {
    Object.assign(this, { canvas, gl, name: "webgl", sent: {} });
    this.program = program(gl);
    this.at = (name) => gl.getUniformLocation(this.program, name);
    this.buffers = { places: gl.createBuffer(), colours: gl.createBuffer(), chosen: gl.createBuffer() };
    for (const [name, place, size, kind, whole] of [["places", "place", 3, gl.FLOAT, false], ["colours", "look", 4, gl.UNSIGNED_BYTE, true]]) {
      const input = gl.getAttribLocation(this.program, place);
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.enableVertexAttribArray(input);
      gl.vertexAttribPointer(input, size, kind, whole, 0, 0);
    }
    gl.useProgram(this.program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  send(name, target, values) {
    if (this.sent[name] === values) return;
    this.gl.bindBuffer(target, this.buffers[name]);
    this.gl.bufferData(target, values, this.gl.STATIC_DRAW);
    this.sent[name] = values;
  }

  draw({ cloud, colours, chosen, camera, size, ink }) {
    const { gl, canvas, at } = this, ratio = canvas.width / camera.width;
    this.send("places", gl.ARRAY_BUFFER, cloud.places);
    this.send("colours", gl.ARRAY_BUFFER, colours);
    this.send("chosen", gl.ELEMENT_ARRAY_BUFFER, chosen);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.depthMask(true);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.uniformMatrix3fv(at("turn"), true, camera.turn);
    gl.uniform2fv(at("centre"), camera.centre);
    gl.uniform2f(at("unit"), (2 * camera.unit) / camera.width, (2 * camera.unit) / camera.height);
    gl.uniform1f(at("eye"), camera.solid ? EYE : 0);
    gl.uniform1f(at("ratio"), ratio);
    gl.uniform3fv(at("ink"), ink.map((part) => part / 255));
    (camera.solid ? gl.enable : gl.disable).call(gl, gl.DEPTH_TEST);
    const pass = (radius, opacity, rim, edge) => {
      gl.uniform1f(at("size"), radius);
      gl.uniform1f(at("opacity"), opacity);
      gl.uniform1f(at("rim"), rim * ratio);
      gl.uniform1f(at("edge"), edge);
    };
    gl.depthMask(!chosen.length);
    pass(size, chosen.length ? QUIET : 1, 0.8, RIM);
    gl.drawArrays(gl.POINTS, 0, cloud.count);
    if (!chosen.length) return;
    gl.depthMask(true);
    pass(bold(size), 1, Math.min(1.2, 0.22 * bold(size)), 1);
    gl.drawElements(gl.POINTS, chosen.length, gl.UNSIGNED_INT, 0);
  }

  dispose() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext(); // browsers keep only some sixteen of them
  }
}
