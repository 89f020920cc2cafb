// The 3-D scene: surfaces, the box around them, the cut. Lengths in um about the middle of the grid, z up.

// Whether this browser can draw it at all. The probe's context is given back, since browsers allow few.
function webglWorks() {
  try {
    const context = document.createElement("canvas").getContext("webgl2");
    if (!context) return false;
    context.getExtension("WEBGL_lose_context")?.loseContext();
    return true;
  } catch {
    return false;
  }
}

class ParticleScene {
  constructor(canvas) {
    this.canvas = canvas;
    this.renderer = new Three.WebGLRenderer({ canvas, antialias: true, preserveDrawingBuffer: true });
    this.renderer.localClippingEnabled = true;
    this.renderer.setClearColor(0x10151c);
    this.scene = new Three.Scene();
    this.camera = new Three.PerspectiveCamera(32, 1, 0.1, 1000);
    this.camera.up.set(0, 0, 1);
    this.scene.add(this.camera, new Three.HemisphereLight(0xffffff, 0x66707c, 2.3));
    const lamp = new Three.DirectionalLight(0xffffff, 2.6);
    lamp.position.set(-0.6, 0.8, 1);
    this.camera.add(lamp);
    this.clip = new Three.Plane();
    this.controls = new Three.OrbitControls(this.camera, canvas);
    this.controls.addEventListener("change", () => this.render());
    canvas.addEventListener("keydown", (event) => this.onKey(event));
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  show(electrode) {
    for (const part of [this.mesh, this.frame, this.plane]) if (part) this.remove(part);
    this.labels = electrode.labels;
    this.lengths = lengthsOf(this.labels);
    this.mesh = this.particleMesh(electrode);
    this.frame = this.box();
    this.plane = null;
    this.scene.add(this.mesh, this.frame);
    this.canvas.dataset.triangles = String(this.mesh.geometry.index.count / 3);
    this.reset();
  }

  remove(part) {
    this.scene.remove(part);
    part.geometry.dispose();
    if (part.material.map) part.material.map.dispose();
    part.material.dispose();
  }

  particleMesh(electrode) {
    electrode.surfaces = electrode.surfaces || surfacesOf(electrode.labels);
    const { positions, owner, indices } = electrode.surfaces;
    const placed = new Float32Array(positions.length);
    for (let i = 0; i < positions.length; ++i) {
      const axis = 2 - (i % 3);
      placed[i] = (positions[i] + 0.5) * this.labels.voxel[axis] - this.lengths[axis] / 2;
    }
    this.owner = owner;
    const geometry = new Three.BufferGeometry();
    geometry.setAttribute("position", new Three.BufferAttribute(placed, 3));
    geometry.setAttribute("color", new Three.BufferAttribute(new Uint8Array(placed.length), 3, true));
    geometry.setIndex(new Three.BufferAttribute(indices, 1));
    geometry.computeVertexNormals();
    return new Three.Mesh(geometry, new Three.MeshLambertMaterial({ vertexColors: true, side: Three.DoubleSide }));
  }

  box() {
    const [z, y, x] = this.lengths.map((l) => l / 2);
    const corner = (k) => [k & 1 ? x : -x, k & 2 ? y : -y, k & 4 ? z : -z];
    const ends = [];
    for (let k = 0; k < 8; ++k)
      for (const bit of [1, 2, 4]) if (!(k & bit)) ends.push(...corner(k), ...corner(k | bit));
    const geometry = new Three.BufferGeometry();
    geometry.setAttribute("position", new Three.BufferAttribute(new Float32Array(ends), 3));
    return new Three.LineSegments(geometry, new Three.LineBasicMaterial({ color: 0x8090a0 }));
  }

  // From low x, low y and high z, as the still picture.
  reset() {
    const reach = Math.hypot(...this.lengths);
    this.controls.target.set(0, 0, 0);
    this.camera.position.set(-0.612, -0.612, 0.5).multiplyScalar(1.75 * reach);
    this.camera.near = reach / 100;
    this.camera.far = reach * 10;
    this.camera.updateProjectionMatrix();
    this.controls.update();
    this.resize();
  }

  colour(colours, chosen) {
    const attribute = this.mesh.geometry.getAttribute("color");
    const linear = colours.map((c) => asLinear(c));
    for (let v = 0; v < this.owner.length; ++v)
      attribute.array.set(this.owner[v] === chosen ? asLinear(chosenColour) : linear[this.owner[v]], 3 * v);
    attribute.needsUpdate = true;
    this.render();
  }

  // Takes away what lies before the slice, as seen from where the view starts, and lays the slice's picture there.
  cut(open, slice, picture) {
    if (this.plane) this.remove(this.plane);
    this.plane = null;
    this.mesh.material.clippingPlanes = open ? [this.clip] : [];
    if (open) {
      const vectors = [[0, 0, -1], [0, 1, 0], [1, 0, 0]];
      const at = slice.um - this.lengths[slice.axis] / 2;
      this.clip.normal.set(...vectors[slice.axis]);
      this.clip.constant = slice.axis === 0 ? at : -at;
      this.plane = this.slicePlane(slice, at, picture);
      this.scene.add(this.plane);
    }
    this.cutSlice = open ? slice : null;
    this.render();
  }

  slicePlane(slice, at, picture) {
    const corners = [];
    for (const [across, down] of [[-1, -1], [1, -1], [1, 1], [-1, 1]]) {
      const p = [0, 0, 0];
      p[slice.axis] = at;
      p[slice.across] = across * this.lengths[slice.across] / 2;
      p[slice.down] = down * this.lengths[slice.down] / 2;
      corners.push(p[2], p[1], p[0]);
    }
    const geometry = new Three.BufferGeometry();
    geometry.setAttribute("position", new Three.BufferAttribute(new Float32Array(corners), 3));
    geometry.setAttribute("uv", new Three.BufferAttribute(new Float32Array([0, 1, 1, 1, 1, 0, 0, 0]), 2));
    geometry.setIndex([0, 1, 2, 0, 2, 3]);
    const map = new Three.CanvasTexture(picture);
    map.colorSpace = Three.SRGBColorSpace;
    return new Three.Mesh(geometry, new Three.MeshBasicMaterial({ map, side: Three.DoubleSide, polygonOffset: true,
      polygonOffsetFactor: 1, polygonOffsetUnits: 1 }));
  }

  resize() {
    const width = this.canvas.clientWidth, height = this.canvas.clientHeight;
    if (width === 0 || height === 0) return;
    this.renderer.setPixelRatio(Math.min(2, window.devicePixelRatio));
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.render();
  }

  // Once a frame, however many changes ask for it.
  render() {
    if (this.asked || !this.mesh) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.renderer.render(this.scene, this.camera);
    });
  }

  onKey(event) {
    const turn = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const zoom = { "+": 0.87, "=": 0.87, "-": 1.15 }[event.key];
    if (!turn && !zoom) return;
    event.preventDefault();
    const offset = this.camera.position.clone().sub(this.controls.target);
    if (zoom) offset.multiplyScalar(zoom);
    if (turn) {
      offset.applyAxisAngle(this.camera.up, turn[0] * 0.15);
      const side = offset.clone().cross(this.camera.up).normalize();
      const tilted = offset.clone().applyAxisAngle(side, -turn[1] * 0.12);
      if (Math.abs(tilted.clone().normalize().z) < 0.99) offset.copy(tilted);
    }
    this.camera.position.copy(this.controls.target).add(offset);
    this.controls.update();
    this.render();
  }

  // The particle under a point of the canvas (0 to 1 across and down): a walk through the labels along the line of sight.
  pick(across, down) {
    const far = new Three.Vector3(2 * across - 1, 1 - 2 * down, 0.5).unproject(this.camera);
    const from = this.camera.position, ray = far.sub(from).normalize();
    const step = Math.min(...this.labels.voxel) / 2;
    const reach = from.length() + Math.hypot(...this.lengths);
    for (let t = 0; t < reach; t += step) {
      const p = [from.z + t * ray.z, from.y + t * ray.y, from.x + t * ray.x];
      const um = p.map((v, a) => v + this.lengths[a] / 2);
      if (um.some((v, a) => v < 0 || v >= this.lengths[a]) || this.cutAway(um)) continue;
      const [z, y, x] = um.map((v, a) => voxelAt(this.labels, a, v));
      const label = this.labels.values[(z * this.labels.shape[1] + y) * this.labels.shape[2] + x];
      if (label) return label;
      if (this.cutSlice && this.behindPlane(um, step)) return 0;  // the slice's picture hides what lies behind it
    }
    return 0;
  }

  cutAway(um) {
    const s = this.cutSlice;
    return Boolean(s) && (s.axis === 0 ? um[0] > s.um : um[s.axis] < s.um);
  }

  behindPlane(um, step) {
    return Math.abs(um[this.cutSlice.axis] - this.cutSlice.um) <= step;
  }
}

// sRGB to the linear values that three.js expects in vertex colours, both 0 to 255.
function asLinear(colour) {
  return colour.map((c) => 255 * (c <= 10 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
}
