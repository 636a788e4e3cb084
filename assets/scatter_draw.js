// Draws the points with WebGL 2, where there is a graphics card for it. scatter_pixels.js is for all other machines.
// Must come before scatter.js. A scene is { cloud, colours (red, green, blue, shape of each point), chosen (numbers of
// points), camera, size (radius), ink (text colour), paper (background colour) }. Lengths are in CSS pixels.

const UNCHOSEN_OPACITY = 0.2; // opacity of points that are not chosen while others are
const EDGE_STRENGTH = 0.45; // how much of the text colour is in a point's edge

const getChosenRadius = (size) => 1.25 * size + 0.5;
const SOFTWARE_RENDERER = /swiftshader|llvmpipe|softpipe|software|basic render/i;

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
float measureOutside(vec2 p) { // distance beyond the edge of the shape, in radii
  vec2 q = abs(p);
  if (shape == 1) return max(q.x, q.y) - 0.86;
  if (shape == 2) return max(q.x * 0.866 - p.y * 0.5, p.y) - 0.55;
  if (shape == 3) return (q.x + q.y - 1.1) * 0.7071;
  if (shape == 4) return max(min(q.x, q.y) - 0.34, max(q.x, q.y) - 1.0);
  return length(p) - 0.95;
}
void main() {
  vec2 p = (gl_PointCoord * 2.0 - 1.0) * (radius + 1.0) / radius;
  float far = measureOutside(vec2(p.x, p.y)) * radius, cover = clamp(0.5 - far, 0.0, 1.0);
  if (cover < 0.1) discard;
  vec3 mixed = mix(colour, ink, edge * clamp(0.5 + far + rim, 0.0, 1.0));
  seen = vec4(mixed, 1.0) * cover * opacity;
}`;

function linkProgram(gl) {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost())
    throw new Error(gl.getProgramInfoLog(program) || "The shaders could not be linked.");
  return program;
}

class WebGlPainter {
  // null if the browser has no WebGL 2, or has it only in software. The name of the renderer is tested too, because not
  // every browser respects failIfMajorPerformanceCaveat.
  static tryCreate(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: false, failIfMajorPerformanceCaveat: true });
    if (!gl) return null;
    const parameter = gl.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER;
    return SOFTWARE_RENDERER.test(gl.getParameter(parameter)) ? null : new WebGlPainter(canvas, gl);
  }

  static getMaxPixelRatio() {
    return 2;
  }

  constructor(canvas, gl) {
    Object.assign(this, { canvas, gl, name: "webgl", uploadedValues: {} });
    this.program = linkProgram(gl);
    this.locateUniform = (name) => gl.getUniformLocation(this.program, name);
    this.buffers = { positions: gl.createBuffer(), colours: gl.createBuffer(), chosen: gl.createBuffer() };
    for (const [name, attribute, componentCount, type, normalized] of [
      ["positions", "place", 3, gl.FLOAT, false],
      ["colours", "look", 4, gl.UNSIGNED_BYTE, true],
    ]) {
      const location = gl.getAttribLocation(this.program, attribute);
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, componentCount, type, normalized, 0, 0);
    }
    gl.useProgram(this.program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  // Uploads an array only if it is another one than last time.
  uploadBuffer(name, target, values) {
    if (this.uploadedValues[name] === values) return;
    this.gl.bindBuffer(target, this.buffers[name]);
    this.gl.bufferData(target, values, this.gl.STATIC_DRAW);
    this.uploadedValues[name] = values;
  }

  draw({ cloud, colours, chosen, camera, size, ink }) {
    const { gl, canvas, locateUniform } = this;
    const ratio = canvas.width / camera.width;
    this.uploadBuffer("positions", gl.ARRAY_BUFFER, cloud.positions);
    this.uploadBuffer("colours", gl.ARRAY_BUFFER, colours);
    this.uploadBuffer("chosen", gl.ELEMENT_ARRAY_BUFFER, chosen);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.depthMask(true);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.uniformMatrix3fv(locateUniform("turn"), true, camera.rotation);
    gl.uniform2fv(locateUniform("centre"), camera.centre);
    gl.uniform2f(
      locateUniform("unit"),
      (2 * camera.pixelsPerUnit) / camera.width,
      (2 * camera.pixelsPerUnit) / camera.height,
    );
    gl.uniform1f(locateUniform("eye"), camera.is3d ? EYE_DISTANCE : 0);
    gl.uniform1f(locateUniform("ratio"), ratio);
    gl.uniform3fv(locateUniform("ink"), ink.map((part) => part / 255));
    (camera.is3d ? gl.enable : gl.disable).call(gl, gl.DEPTH_TEST);
    const setPass = (radius, opacity, rim, edge) => {
      gl.uniform1f(locateUniform("size"), radius);
      gl.uniform1f(locateUniform("opacity"), opacity);
      gl.uniform1f(locateUniform("rim"), rim * ratio);
      gl.uniform1f(locateUniform("edge"), edge);
    };
    // Points that are not chosen are drawn first, and, while others are chosen, pale and without hiding anything.
    gl.depthMask(!chosen.length);
    setPass(size, chosen.length ? UNCHOSEN_OPACITY : 1, 0.8, EDGE_STRENGTH);
    gl.drawArrays(gl.POINTS, 0, cloud.count);
    if (!chosen.length) return;
    gl.depthMask(true);
    setPass(getChosenRadius(size), 1, Math.min(1.2, 0.22 * getChosenRadius(size)), 1);
    gl.drawElements(gl.POINTS, chosen.length, gl.UNSIGNED_INT, 0);
  }

  dispose() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext(); // a browser keeps only about 16 contexts
  }
}
