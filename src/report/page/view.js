// The controls of the view and what they change.

class View {
  constructor(onPicked) {
    this.byId = (id) => document.getElementById(id);
    this.onPicked = onPicked;
    this.chosen = 0;
    this.electrodeNumber = -1;
    this.viewable = study.electrodes.map((e, i) => i).filter((i) => study.electrodes[i].particles && study.electrodes[i].labels);
  }

  async start() {
    if (this.viewable.length === 0) return;
    this.scene = webglWorks() ? this.newScene() : null;
    document.documentElement.classList.add(this.scene ? "has-scene" : "no-scene");
    this.byId("no-webgl").hidden = Boolean(this.scene);
    this.byId("viewer").hidden = false;
    this.byId("pick-electrode").append(...this.viewable.map((i) => element("option", { value: i }, study.electrodes[i].name)));
    this.listen();
    await this.showElectrode(this.viewable[0]);
  }

  newScene() {
    try {
      return new ParticleScene(this.byId("scene"));
    } catch {
      return null;
    }
  }

  listen() {
    const on = (id, event, act) => this.byId(id).addEventListener(event, act);
    on("pick-electrode", "change", (e) => this.showElectrode(Number(e.target.value)));
    on("pick-attribute", "change", () => this.recolour());
    on("pick-axis", "change", () => this.newAxis());
    on("pick-slice", "input", () => this.redrawSlice());
    on("pick-cut", "change", () => this.redrawSlice());
    on("reset-view", "click", () => this.scene && this.scene.reset());
    on("slice", "click", (e) => {
      const box = e.target.getBoundingClientRect();
      this.pick(particleInSlice(this.electrode, this.slice, Math.floor((e.clientY - box.top) / box.height * this.slice.height),
        Math.floor((e.clientX - box.left) / box.width * this.slice.width)));
    });
    on("slice", "keydown", (e) => this.moveSlice(e));
    if (this.scene) this.listenToScene();
  }

  // A press and release at one place picks; a drag turns.
  listenToScene() {
    const canvas = this.byId("scene");
    let down = null;
    canvas.addEventListener("pointerdown", (e) => { down = [e.clientX, e.clientY]; });
    canvas.addEventListener("pointerup", (e) => {
      if (!down || Math.hypot(e.clientX - down[0], e.clientY - down[1]) > 4) return;
      const box = canvas.getBoundingClientRect();
      this.pick(this.scene.pick((e.clientX - box.left) / box.width, (e.clientY - box.top) / box.height));
    });
  }

  async showElectrode(number) {
    this.electrode = await readElectrode(number);
    this.electrodeNumber = number;
    this.byId("pick-electrode").value = String(number);
    this.chosen = 0;
    const { particles, about } = this.electrode;
    const select = this.byId("pick-attribute"), before = select.value;
    select.replaceChildren(...particles.names.map((name, i) => {
      const unit = particles.units[i];
      return element("option", { value: name, title: particles.about[i] || "" }, unit ? `${name} (${unitText(unit)})` : name);
    }));
    select.value = particles.names.includes(before) ? before : about.target;
    if (select.selectedIndex < 0) select.selectedIndex = 0;
    if (this.scene) this.scene.show(this.electrode);
    this.note();
    this.pick(0);
    this.newAxis();
    this.byId("viewer").dataset.ready = String(number);
  }

  note() {
    const { about, labels, grey } = this.electrode;
    const um = (grid) => grid.voxel.map((v) => numberText(v, 3)).join(" x ");
    let text = `Surfaces are drawn from the labels at voxels of ${um(labels)} µm (z, y, x)`;
    text += grey ? `, slices from grey values averaged to ${um(grey)} µm in 64 steps.` : "; this run has no grey values.";
    if (about.particles.kept < about.particles.total)
      text += ` This page has room for the ${about.particles.kept} largest of ${about.particles.total} particles; all are in the files of the run.`;
    const without = study.electrodes.filter((e, i) => !this.viewable.includes(i)).map((e) => e.name);
    if (without.length > 0) text += ` Without surfaces, because this run did not segment them: ${without.join(", ")}.`;
    this.byId("view-note").textContent = text + " Numbers come from the full resolution.";
  }

  recolour() {
    const column = Math.max(0, this.byId("pick-attribute").selectedIndex);
    const { colours, range } = coloursBy(this.electrode.particles, column);
    this.colours = colours;
    this.byId("legend-low").textContent = numberText(range.low, 3);
    this.byId("legend-high").textContent = `${numberText(range.high, 3)} ${unitText(this.electrode.particles.units[column])}`;
    this.byId("legend-note").textContent = (range.cut ? "2 % to 98 % of the particles; " : "") + "grey: unknown; orange: picked";
    const stops = viridisStops.map((c) => `rgb(${c})`).join(", ");
    this.byId("legend-bar").style.background = `linear-gradient(to right, ${stops})`;
    if (this.scene) this.scene.colour(colours, this.chosen);
    this.redrawSlice();
  }

  newAxis() {
    const axis = Number(this.byId("pick-axis").value), grid = this.electrode.grey || this.electrode.labels;
    const slider = this.byId("pick-slice");
    slider.max = String(grid.shape[axis] - 1);
    slider.value = String(Math.floor((grid.shape[axis] - 1) / 2));
    this.recolour();
  }

  redrawSlice() {
    const axis = Number(this.byId("pick-axis").value), grid = this.electrode.grey || this.electrode.labels;
    const um = (Number(this.byId("pick-slice").value) + 0.5) * grid.voxel[axis];
    this.slice = slicePixels(this.electrode, axis, um);
    const canvas = this.byId("slice");
    drawSlice(canvas, this.electrode, this.slice, this.colours, this.chosen);
    const place = numberText(um + grid.origin[axis], 4);
    this.byId("slice-place").textContent = `${axisNames[axis]} = ${place} µm`;
    canvas.setAttribute("aria-label", `Slice at ${axisNames[axis]} = ${place} µm`);
    this.byId("slice-resolution").textContent = `${axisNames[this.slice.across]} across, ${axisNames[this.slice.down]} down`;
    if (this.scene) this.scene.cut(this.byId("pick-cut").checked, this.slice, canvas);
  }

  moveSlice(event) {
    const by = { PageUp: 1, PageDown: -1, ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const slider = this.byId("pick-slice");
    slider.value = String(Number(slider.value) + by);
    this.redrawSlice();
  }

  // `place` starts at 1; 0 lets go of the particle.
  pick(place) {
    this.chosen = place;
    this.byId("picked").replaceChildren(...(place ? this.numbers(place - 1) : [element("p", { class: "note" },
      "Click a particle, here or in the table: its numbers appear here.")]));
    this.byId("picked").dataset.label = place ? String(this.electrode.particles.labels[place - 1]) : "";
    if (this.colours) this.recolour();
    this.onPicked(this.electrodeNumber, place - 1);
  }

  // As pick, and the slice moves to the middle of the particle.
  show(place) {
    const axis = Number(this.byId("pick-axis").value), { labels, grey } = this.electrode;
    const stride = axis === 0 ? labels.shape[1] * labels.shape[2] : axis === 1 ? labels.shape[2] : 1;
    let sum = 0, n = 0;
    labels.values.forEach((v, i) => {
      if (v !== place) return;
      sum += Math.floor(i / stride) % labels.shape[axis];
      ++n;
    });
    if (n > 0) this.byId("pick-slice").value = String(voxelAt(grey || labels, axis, (sum / n + 0.5) * labels.voxel[axis]));
    this.pick(place);
  }

  numbers(i) {
    const p = this.electrode.particles, shap = p.shap;
    const values = shap ? shap.columns.map((c) => c[i]) : [];
    const known = values.some((v) => v !== null);
    const terms = known ? shap.names.filter((n) => n !== "expected_value" && n !== "prediction") : [];
    const largest = Math.max(...terms.map((n) => Math.abs(values[shap.names.indexOf(n)])), 1e-300);
    const rows = p.names.map((name, c) => {
      const term = terms.includes(name) ? values[shap.names.indexOf(name)] : null;
      const bar = term === null ? "" : element("span", { class: term < 0 ? "bar down" : "bar" });
      if (bar) bar.style.width = `${2.2 * Math.abs(term) / largest}rem`;
      const unit = unitText(p.units[c]);
      return element("tr", {}, element("th", { scope: "row", title: [p.about[c], unit].filter(Boolean).join("; ") }, name),
        element("td", { class: "number" }, numberText(p.columns[c][i], 5)), element("td", {}, unit.length > 6 ? "" : unit),
        ...(known ? [element("td", { class: "number" }, numberText(term, 2)), element("td", {}, bar)] : []));
    });
    const head = element("tr", {}, ...["", "value", "", ...(known ? ["SHAP", ""] : [])].map((t) => element("th", { scope: "col" }, t)));
    return [element("h3", {}, `Particle ${p.labels[i]}`), this.remark(i, values, known),
      element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows))];
  }

  remark(i, values, known) {
    const p = this.electrode.particles, of = (name) => values[p.shap.names.indexOf(name)];
    let text = p.used[i] ? "" : "Left out of inference by a flag. ";
    if (known)
      text += `The forest predicts ${numberText(of("prediction"), 3)}: ${numberText(of("expected_value"), 3)} on average, and what each attribute adds (SHAP).`;
    else if (p.shap) text += "Not among the forest's training rows: no SHAP values.";
    return element("p", { class: "note" }, text);
  }
}
