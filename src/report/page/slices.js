// A slice through the grey volume with the particles in it, on a 2-D canvas.

// Axes across and down the picture of a slice across `axis` (z, y, x = 0, 1, 2).
const acrossOf = [2, 2, 1];
const downOf = [1, 0, 0];

// Voxel of a grid at a place in um from its corner, per axis.
const voxelAt = (grid, axis, um) => Math.min(grid.shape[axis] - 1, Math.max(0, Math.floor(um / grid.voxel[axis])));

function slicePixels(electrode, axis, um, longest = 640) {
  const fine = electrode.labels || electrode.grey;
  const lengths = lengthsOf(fine);
  const across = acrossOf[axis], down = downOf[axis];
  const pixel = Math.max(lengths[across], lengths[down]) / longest;
  return { axis, um, across, down, pixel, width: Math.max(1, Math.round(lengths[across] / pixel)),
    height: Math.max(1, Math.round(lengths[down] / pixel)) };
}

// Index in the grid's values of pixel (row, column), by tables of an axis.
function offsetsOf(grid, s) {
  const [, ny, nx] = grid.shape;
  const stride = [ny * nx, nx, 1];
  const table = (axis, n) => Int32Array.from({ length: n }, (_, i) => voxelAt(grid, axis, (i + 0.5) * s.pixel) * stride[axis]);
  return { base: voxelAt(grid, s.axis, s.um) * stride[s.axis], columns: table(s.across, s.width), rows: table(s.down, s.height) };
}

function drawSlice(canvas, electrode, s, colours, chosen) {
  canvas.width = s.width;
  canvas.height = s.height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(s.width, s.height);
  const grey = electrode.grey && offsetsOf(electrode.grey, s), label = electrode.labels && offsetsOf(electrode.labels, s);
  const labelAt = (row, column) => electrode.labels.values[label.base + label.rows[row] + label.columns[column]];
  for (let row = 0, i = 0; row < s.height; ++row)
    for (let column = 0; column < s.width; ++column, i += 4) {
      const g = grey ? electrode.grey.values[grey.base + grey.rows[row] + grey.columns[column]] : 40;
      let tint = 0, colour = unknownColour;
      if (label) {
        const here = labelAt(row, column);
        const border = here !== labelAt(row, Math.min(s.width - 1, column + 1)) || here !== labelAt(Math.min(s.height - 1, row + 1), column);
        colour = here === 0 ? unknownColour : here === chosen ? chosenColour : colours[here];
        tint = here === 0 ? 0 : border ? 0.95 : here === chosen ? 0.5 : grey ? 0.28 : 0.8;
      }
      for (let k = 0; k < 3; ++k) image.data[i + k] = g * (1 - tint) + colour[k] * tint;
      image.data[i + 3] = 255;
    }
  context.putImageData(image, 0, 0);
}

const chosenColour = [255, 90, 60];

// The particle at a point of the canvas, 0 where there is none.
function particleInSlice(electrode, s, row, column) {
  if (!electrode.labels || row < 0 || column < 0 || row >= s.height || column >= s.width) return 0;
  const o = offsetsOf(electrode.labels, s);
  return electrode.labels.values[o.base + o.rows[row] + o.columns[column]];
}
