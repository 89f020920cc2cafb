// Sorting and searching, by mouse and keyboard, of the tables in the page and of the list of particles.

function sortButton(header, onSort) {
  const button = element("button", { type: "button", title: "sort" }, ...header.childNodes);
  header.replaceChildren(button);
  button.addEventListener("click", () => {
    const descending = header.getAttribute("aria-sort") === "ascending";
    for (const other of header.parentNode.children) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", descending ? "descending" : "ascending");
    onSort(descending);
  });
}

// Missing values last, whichever way.
function compareCells(a, b, descending) {
  const missing = (v) => v === null || v === undefined || v === "";
  if (missing(a) || missing(b)) return missing(a) - missing(b);
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
  return descending ? -order : order;
}

function cellValue(cell) {
  return cell.dataset.v !== undefined ? Number(cell.dataset.v) : cell.textContent;
}

function enhanceTable(table) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    if ([...body.rows].some((row) => row.cells[column].classList.contains("number"))) header.classList.add("number");
    sortButton(header, (descending) => {
      const rows = [...body.rows];
      rows.sort((a, b) => compareCells(cellValue(a.cells[column]), cellValue(b.cells[column]), descending));
      body.append(...rows);
    });
  });
  if (body.rows.length < 8) return;
  const caption = table.caption.textContent;
  const search = element("input", { type: "search", placeholder: "search", "aria-label": "Search: " + caption });
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    for (const row of body.rows) row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
  });
  table.parentNode.before(element("div", { class: "tools" }, search));
}

// "Damage > 0.1 Volume<200 17": conditions on columns, and the start of a label.
function rowFilter(text, particles) {
  const conditions = [];
  const rest = text.replace(/([A-Za-z_][\w.]*)\s*(<=|>=|<|>|=)\s*(-?[\d.]+(?:e[-+]?\d+)?)/gi, (all, name, op, number) => {
    const column = particles.names.findIndex((n) => n.toLowerCase() === name.toLowerCase());
    const limit = Number(number);
    const holds = { "<": (v) => v < limit, ">": (v) => v > limit, "<=": (v) => v <= limit, ">=": (v) => v >= limit,
      "=": (v) => v === limit }[op];
    conditions.push(column < 0 ? () => false : (i) => {
      const v = particles.columns[column][i];
      return v !== null && holds(v);
    });
    return " ";
  });
  for (const word of rest.split(/\s+/).filter(Boolean))
    conditions.push(word.toLowerCase() === "used" ? (i) => particles.used[i] === 1
      : (i) => String(particles.labels[i]).startsWith(word));
  return (i) => conditions.every((holds) => holds(i));
}

// The list of an electrode's particles, a page at a time. onPick(i) is told of a chosen row.
class ParticleTable {
  constructor(particles, title, onPick) {
    this.particles = particles;
    this.onPick = onPick;
    this.size = 15;
    this.page = 0;
    this.chosen = -1;
    this.order = particles.labels.map((_, i) => i);
    this.filter = () => true;
    this.body = element("tbody");
    this.count = element("span", { role: "status" });
    this.previous = element("button", { type: "button", onclick: () => this.turn(-1) }, "Previous");
    this.next = element("button", { type: "button", onclick: () => this.turn(1) }, "Next");
    this.root = element("div", { class: "particles-table" }, this.tools(title),
      element("div", { class: "scroll" }, element("table", {}, element("caption", {}, title), this.head(), this.body)));
    this.draw();
  }

  tools(title) {
    const search = element("input", { type: "search", placeholder: "label, or Damage > 0.1", size: "26",
      "aria-label": "Search: " + title });
    search.addEventListener("input", () => {
      this.filter = rowFilter(search.value, this.particles);
      this.page = 0;
      this.draw();
    });
    return element("div", { class: "tools" }, search, this.previous, this.next, this.count);
  }

  head() {
    const row = element("tr");
    const columns = [this.particles.labels, this.particles.used, ...this.particles.columns];
    ["label", "used", ...this.particles.names].forEach((name, c) => {
      const unit = c < 2 ? "" : this.particles.units[c - 2];
      const header = element("th", { scope: "col", class: "number" }, unit ? `${name} (${unitText(unit)})` : name);
      if (c >= 2 && this.particles.about[c - 2]) header.title = this.particles.about[c - 2];
      if (c === 1) header.title = "whether inference used it";
      sortButton(header, (descending) => {
        this.order.sort((a, b) => compareCells(columns[c][a], columns[c][b], descending) || a - b);
        this.page = 0;
        this.draw();
      });
      row.append(header);
    });
    return element("thead", {}, row);
  }

  turn(pages) {
    this.page += pages;
    this.draw();
  }

  draw() {
    const shown = this.order.filter(this.filter);
    const pages = Math.max(1, Math.ceil(shown.length / this.size));
    this.page = Math.min(pages - 1, Math.max(0, this.page));
    const rows = shown.slice(this.page * this.size, (this.page + 1) * this.size).map((i) => this.row(i));
    this.body.replaceChildren(...rows);
    this.previous.disabled = this.page === 0;
    this.next.disabled = this.page === pages - 1;
    this.count.textContent = `${shown.length} of ${this.order.length} particles, page ${this.page + 1} of ${pages}`;
  }

  row(i) {
    const cells = this.particles.columns.map((column) => element("td", { class: "number" }, numberText(column[i], 4)));
    const label = element("button", { type: "button", title: "show this particle", onclick: () => this.onPick(i) },
      String(this.particles.labels[i]));
    return element("tr", { class: i === this.chosen ? "chosen" : "" }, element("td", { class: "number" }, label),
      element("td", { class: "number" }, this.particles.used[i] ? "yes" : "no"), ...cells);
  }

  choose(i) {
    this.chosen = i;
    this.draw();
  }
}
