// Surfaces of labelled particles: surface nets (Gibson 1998) with a vertex for each particle that meets a cell, so that
// every particle has a closed surface of its own. Cells lie between voxel centres; outside the grid there is nothing.

function surfacesOf(labels) {
  const [nz, ny, nx] = labels.shape;
  const cy = nx + 1, cz = (ny + 1) * cy;
  const at = (z, y, x) => (z < 0 || y < 0 || x < 0 || z >= nz || y >= ny || x >= nx ? 0
    : labels.values[(z * ny + y) * nx + x]);
  const first = new Int32Array((nz + 1) * cz + 1);
  const owner = [], place = [];
  const corner = new Uint16Array(8);

  for (let z = 0, cell = 0; z <= nz; ++z)
    for (let y = 0; y <= ny; ++y)
      for (let x = 0; x <= nx; ++x, ++cell) {
        first[cell] = owner.length;
        let mixed = false;
        for (let k = 0; k < 8; ++k) {
          corner[k] = at(z - 1 + (k >> 2), y - 1 + ((k >> 1) & 1), x - 1 + (k & 1));
          mixed = mixed || corner[k] !== corner[0];
        }
        if (!mixed) continue;
        for (let k = 0; k < 8; ++k) {
          const label = corner[k];
          if (label === 0 || corner.indexOf(label) !== k) continue;
          addVertex(corner, label, z, y, x);
        }
      }
  first[first.length - 1] = owner.length;

  // The mean of the points where the particle's border crosses the cell's edges, in voxels from the grid's corner.
  function addVertex(corners, label, z, y, x) {
    let n = 0, sz = 0, sy = 0, sx = 0;
    for (let k = 0; k < 8; ++k)
      for (let bit = 1; bit < 8; bit <<= 1) {
        const other = k | bit;
        if (other === k || (corners[k] === label) === (corners[other] === label)) continue;
        sz += (k >> 2) + (bit === 4 ? 0.5 : 0);
        sy += ((k >> 1) & 1) + (bit === 2 ? 0.5 : 0);
        sx += (k & 1) + (bit === 1 ? 0.5 : 0);
        ++n;
      }
    owner.push(label);
    place.push(x - 1 + sx / n, y - 1 + sy / n, z - 1 + sz / n);
  }

  function vertex(cell, label) {
    let v = first[cell];
    while (owner[v] !== label) ++v;
    return v;
  }

  // A quad around every pair of neighbouring voxels that differ, for each particle of the two, seen from outside.
  const quads = [];
  const steps = [[1, 0, 0, cy, 1], [0, 1, 0, 1, cz], [0, 0, 1, cz, cy]];
  for (const [dz, dy, dx, u, w] of steps)
    for (let z = -dz; z < nz; ++z)
      for (let y = -dy; y < ny; ++y)
        for (let x = -dx; x < nx; ++x) {
          const a = at(z, y, x), b = at(z + dz, y + dy, x + dx);
          if (a === b) continue;
          const cell = (z + dz) * cz + (y + dy) * cy + x + dx;
          const cells = [cell, cell + u, cell + u + w, cell + w];
          if (a) quads.push(vertex(cells[3], a), vertex(cells[2], a), vertex(cells[1], a), vertex(cells[0], a));
          if (b) quads.push(vertex(cells[0], b), vertex(cells[1], b), vertex(cells[2], b), vertex(cells[3], b));
        }
  const positions = relaxed(Float32Array.from(place), quads);
  return { positions, owner: Uint16Array.from(owner), indices: trianglesOf(quads) };
}

// Each vertex moves towards the mean of its neighbours but stays in its cell: smooth, yet no further from the voxels.
function relaxed(positions, quads) {
  const start = positions.slice();
  const sums = new Float32Array(positions.length), counts = new Uint16Array(positions.length / 3);
  for (let pass = 0; pass < 4; ++pass) {
    sums.fill(0);
    counts.fill(0);
    for (let q = 0; q < quads.length; q += 4)
      for (let k = 0; k < 4; ++k) {
        const v = quads[q + k], next = quads[q + ((k + 1) & 3)];
        for (let c = 0; c < 3; ++c) sums[3 * v + c] += positions[3 * next + c];
        ++counts[v];
      }
    for (let i = 0; i < positions.length; ++i) {
      const mean = sums[i] / Math.max(1, counts[Math.floor(i / 3)]);
      positions[i] = Math.min(start[i] + 0.5, Math.max(start[i] - 0.5, mean));
    }
  }
  return positions;
}

function trianglesOf(quads) {
  const indices = new Uint32Array(quads.length / 4 * 6);
  for (let q = 0, i = 0; q < quads.length; q += 4)
    for (const k of [0, 1, 2, 0, 2, 3]) indices[i++] = quads[q + k];
  return indices;
}
