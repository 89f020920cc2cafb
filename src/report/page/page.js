// What happens when the page opens.

async function unpackFigures() {
  for (const image of document.querySelectorAll("img[data-packed]")) {
    const svg = await inflated(image.dataset.packed);
    image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    image.removeAttribute("data-packed");
  }
}

function countWarnings() {
  const n = document.querySelectorAll("#warning-list > li").length;
  document.getElementById("warning-count").textContent = n > 0 ? `(${n})` : "";
  const note = document.getElementById("warning-note");
  note.hidden = n === 0;
  note.replaceChildren(`The run gave ${n} ${n === 1 ? "warning" : "warnings"}: `,
    element("a", { href: "#warnings" }, "read them"), " before relying on a number.");
}

async function listParticles(view, tables) {
  const root = document.getElementById("particle-tables");
  for (let i = 0; i < study.electrodes.length; ++i) {
    const about = study.electrodes[i];
    if (!about.particles || about.particles.kept === 0) continue;
    const { particles } = await readElectrode(i);
    const some = about.particles.kept < about.particles.total ? ` The ${about.particles.kept} largest of ${about.particles.total}.` : "";
    tables[i] = new ParticleTable(particles, `Particles of ${about.name}.${some}`, async (row) => {
      if (view.viewable.includes(i)) {
        if (view.electrodeNumber !== i) await view.showElectrode(i);
        view.show(row + 1);
        document.getElementById("view").scrollIntoView();
      } else tables[i].choose(row);
    });
    root.append(tables[i].root);
  }
}

// On paper the parameters are open, and as they were again afterwards.
function openForPrint() {
  const closed = () => document.querySelectorAll("#method details:not([open])");
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...closed()];
    for (const d of opened) d.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const d of opened) d.open = false;
  });
}

async function start() {
  countWarnings();
  openForPrint();
  for (const table of document.querySelectorAll("table.sortable")) enhanceTable(table);
  await unpackFigures();
  const tables = {};
  const view = new View((electrode, row) => tables[electrode] && tables[electrode].choose(row));
  await view.start();
  await listParticles(view, tables);
  document.documentElement.dataset.ready = "true";
}

start().catch((error) => {
  console.error(error);
  document.getElementById("view-note").textContent = `The interactive part of this page failed: ${error.message}`;
  document.documentElement.dataset.ready = "failed";
});
