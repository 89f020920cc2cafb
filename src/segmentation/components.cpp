#include <cathoscope/segmentation/components.hpp>

#include <cathoscope/core/error.hpp>

#include <algorithm>
#include <limits>
#include <mutex>
#include <numeric>

namespace cathoscope {

DisjointSets::DisjointSets(std::size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), 0U); }

std::uint32_t DisjointSets::find(std::uint32_t i) {
  while (parent_[i] != i) {
    parent_[i] = parent_[parent_[i]];
    i = parent_[i];
  }
  return i;
}

void DisjointSets::unite(std::uint32_t a, std::uint32_t b) {
  a = find(a);
  b = find(b);
  if (a < b) parent_[b] = a;
  if (b < a) parent_[a] = b;
}

namespace {

/// Voxels [begin, end) of a row, all of one key.
struct Run {
  std::int64_t begin, end;
  std::uint32_t key;
};

struct Runs {
  std::vector<Run> runs;
  std::vector<std::size_t> row;  ///< first run of each row, and the end
};

Runs runs_of(const std::uint32_t* keys, const Index3& n) {
  Runs r;
  for (std::int64_t i = 0; i < n[0] * n[1]; ++i) {
    r.row.push_back(r.runs.size());
    const std::uint32_t* row = keys + i * n[2];
    for (std::int64_t x = 0; x < n[2];) {
      const std::int64_t begin = x;
      while (x < n[2] && row[x] == row[begin]) ++x;
      if (row[begin] != 0) r.runs.push_back({begin, x, row[begin]});
    }
  }
  r.row.push_back(r.runs.size());
  return r;
}

/// Unites the runs of two rows that share a face.
void unite_rows(const Runs& r, std::size_t a, std::size_t b, DisjointSets& sets) {
  std::size_t i = r.row[a];
  std::size_t j = r.row[b];
  while (i < r.row[a + 1] && j < r.row[b + 1]) {
    const Run& p = r.runs[i];
    const Run& q = r.runs[j];
    if (p.key == q.key && p.begin < q.end && q.begin < p.end)
      sets.unite(static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j));
    p.end < q.end ? ++i : ++j;
  }
}

/// The same where corners touch too.
void unite_rows_with_corners(const Runs& r, std::size_t a, std::size_t b, DisjointSets& sets) {
  std::size_t j = r.row[b];
  for (std::size_t i = r.row[a]; i < r.row[a + 1]; ++i) {
    const Run& p = r.runs[i];
    while (j < r.row[b + 1] && r.runs[j].end < p.begin) ++j;
    for (std::size_t k = j; k < r.row[b + 1] && r.runs[k].begin <= p.end; ++k)
      if (r.runs[k].key == p.key) sets.unite(static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(k));
  }
}

}  // namespace

std::uint32_t label_components(const std::uint32_t* keys, const Index3& n, Neighbours neighbours, std::uint32_t* ids) {
  const Runs r = runs_of(keys, n);
  DisjointSets sets(r.runs.size());
  const auto row = [&](std::int64_t z, std::int64_t y) { return static_cast<std::size_t>(z * n[1] + y); };
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y) {
      if (neighbours == Neighbours::faces) {
        if (y > 0) unite_rows(r, row(z, y), row(z, y - 1), sets);
        if (z > 0) unite_rows(r, row(z, y), row(z - 1, y), sets);
        continue;
      }
      if (y > 0) unite_rows_with_corners(r, row(z, y), row(z, y - 1), sets);
      for (std::int64_t dy = -1; z > 0 && dy <= 1; ++dy)
        if (y + dy >= 0 && y + dy < n[1]) unite_rows_with_corners(r, row(z, y), row(z - 1, y + dy), sets);
    }
  std::vector<std::uint32_t> id(r.runs.size());
  std::uint32_t count = 0;
  std::fill_n(ids, volume_of(n), 0U);
  for (std::size_t i = 0; i < r.row.size() - 1; ++i)
    for (std::size_t k = r.row[i]; k < r.row[i + 1]; ++k) {
      const std::uint32_t root = sets.find(static_cast<std::uint32_t>(k));
      if (root == k) id[k] = ++count;
      std::fill(ids + static_cast<std::int64_t>(i) * n[2] + r.runs[k].begin,
                ids + static_cast<std::int64_t>(i) * n[2] + r.runs[k].end, id[root]);
    }
  return count;
}

namespace {

/// The planes of a block that touch the blocks before it, as boxes, each with the layer before it.
std::vector<Box> seams_of(const Box& block) {
  std::vector<Box> seams;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (block.begin[axis] == 0) continue;
    Box seam = block;
    seam.begin[axis] = block.begin[axis] - 1;
    seam.end[axis] = block.begin[axis] + 1;
    for (std::size_t other = 0; other < 3; ++other)
      if (other != axis) {  // diagonal neighbours across the edge of two blocks
        seam.begin[other] -= 1;
        seam.end[other] += 1;
      }
    seams.push_back(seam);
  }
  return seams;
}

}  // namespace

ComponentFinder::ComponentFinder(const Workspace& w, Neighbours neighbours)
    : w_(w), neighbours_(neighbours), ids_(w), mutex_(std::make_unique<std::mutex>()) {}

ComponentFinder::Part ComponentFinder::add(const Box& block, const Array3<std::uint32_t>& keys) {
  Part part{array3<std::uint32_t>(block.shape()), 0, 0};
  part.count = label_components(keys.data(), block.shape(), neighbours_, part.ids.data());
  {
    const std::scoped_lock lock(*mutex_);
    part.before = used_ - 1;
    used_ += part.count;
  }
  if (part.before + part.count >= std::numeric_limits<std::uint32_t>::max())
    fail(Exit::data, "the volume falls into more than 4294967294 pieces: smooth it or crop it");
  const auto before = static_cast<std::uint32_t>(part.before);
  for (std::uint32_t& id : part.ids) id = id == 0 ? 0 : id + before;
  ids_.write(block, part.ids.data());
  return part;
}

Components ComponentFinder::finish(const std::string& task,
                                   const std::function<Array3<std::uint32_t>(const Box&)>& keys_of) {
  DisjointSets sets(used_);
  for_each_block(w_, task + ", seams", [&](const Box& block) {
    for (const Box& seam : seams_of(block)) {
      const Box box = intersect(seam, whole(w_.shape));
      const Array3<std::uint32_t> keys = keys_of(box);
      Array3<std::uint32_t> ids = array3<std::uint32_t>(box.shape());
      ids_.read(box, ids.data());
      Array3<std::uint32_t> local = array3<std::uint32_t>(box.shape());
      const std::uint32_t count = label_components(keys.data(), box.shape(), neighbours_, local.data());
      std::vector<std::uint32_t> first(count + 1, 0);
      const std::scoped_lock lock(*mutex_);
      for (std::size_t i = 0; i < ids.size(); ++i) {
        const std::uint32_t c = local.data()[i];
        if (c == 0) continue;
        if (first[c] == 0) first[c] = ids.data()[i];
        if (first[c] != ids.data()[i]) sets.unite(first[c], ids.data()[i]);
      }
    }
  });
  Components result{ids_, std::vector<std::uint32_t>(used_)};
  for (std::uint32_t i = 0; i < used_; ++i) result.component_of[i] = sets.find(i);
  return result;
}

Components find_components(const Workspace& w, const std::string& task, Neighbours neighbours,
                           const std::function<Array3<std::uint32_t>(const Box&)>& keys_of) {
  ComponentFinder finder(w, neighbours);
  for_each_block(w, task, [&](const Box& block) { finder.add(block, keys_of(block)); });
  return finder.finish(task, keys_of);
}

namespace {

/// Whether any face of a voxel lies in the border of the grid; axes of one voxel have none.
bool at_border(std::int64_t z, std::int64_t y, std::int64_t x, const Index3& n) {
  const auto ends = [](std::int64_t i, std::int64_t count) { return count > 1 && (i == 0 || i == count - 1); };
  return ends(z, n[0]) || ends(y, n[1]) || ends(x, n[2]);
}

/// Calls f(linear index in the block, linear index in the grown array, at the border) for the block's voxels.
template <class F>
void for_each_voxel(const Box& block, const Index3& grid, const F& f) {
  const auto n = block.shape();
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y) {
      const std::int64_t in = (z * n[1] + y) * n[2];
      const std::int64_t wide = ((z + 1) * (n[1] + 2) + y + 1) * (n[2] + 2) + 1;
      for (std::int64_t x = 0; x < n[2]; ++x)
        f(in + x, wide + x, at_border(block.begin[0] + z, block.begin[1] + y, block.begin[2] + x, grid));
    }
}

std::array<std::int64_t, 6> face_steps(const Box& block) {
  const auto n = block.shape();
  const std::int64_t row = n[2] + 2;
  const std::int64_t plane = (n[1] + 2) * row;
  return {-plane, plane, -row, row, -1, 1};
}

struct Hole {
  bool open = false;
  std::uint64_t voxels = 0;
};

/// 1 where a voxel of the block is 0 in the array grown by one voxel.
template <class T>
Array3<std::uint32_t> zeros_of(const Box& block, const Index3& grid, const Array3<T>& grown_values) {
  Array3<std::uint32_t> keys = array3<std::uint32_t>(block.shape());
  for_each_voxel(block, grid, [&](std::int64_t i, std::int64_t wide, bool) {
    keys.data()[i] = grown_values.data()[wide] == 0 ? 1U : 0U;
  });
  return keys;
}

std::vector<Hole> holes_of(const Box& block, const Index3& grid, const ComponentFinder::Part& part,
                           const Array3<std::uint8_t>& values) {
  std::vector<Hole> holes(part.count + 1);
  const auto steps = face_steps(block);
  const std::uint8_t* v = values.data();
  for_each_voxel(block, grid, [&](std::int64_t i, std::int64_t wide, bool border) {
    const std::uint32_t id = part.ids.data()[i];
    if (id == 0) return;
    Hole& hole = holes[id - part.before];
    hole.voxels += 1;
    if (!hole.open)
      hole.open = border || std::any_of(steps.begin(), steps.end(), [&](auto s) { return v[wide + s] == 2; });
  });
  return holes;
}

}  // namespace

void fill_holes(const Workspace& w, const ScratchGrid<std::uint8_t>& mask, std::uint64_t largest) {
  ComponentFinder finder(w, Neighbours::faces);
  Tally<Hole> tally;
  for_each_block(w, "holes", [&](const Box& block) {
    const Array3<std::uint8_t> values = mask.padded(reaching(block, {1, 1, 1}), 1);
    const auto part = finder.add(block, zeros_of(block, w.shape, values));
    tally.add(part, holes_of(block, w.shape, part, values));
  });
  const Components background = finder.finish("holes", [&](const Box& box) {
    Array3<std::uint32_t> keys = array3<std::uint32_t>(box.shape());
    const Array3<std::uint8_t> values = mask.padded(box, 1);
    std::transform(values.begin(), values.end(), keys.begin(), [](std::uint8_t v) { return v == 0 ? 1U : 0U; });
    return keys;
  });
  std::vector<Hole> holes = tally.take(background.component_of.size());
  for (std::uint32_t id = 1; id < holes.size(); ++id) {
    Hole& root = holes[background.component_of[id]];
    if (&root == &holes[id]) continue;
    root.open |= holes[id].open;
    root.voxels += holes[id].voxels;
  }
  for_each_block(w, "holes, filling", [&](const Box& block) {
    Array3<std::uint8_t> values = mask.padded(block, 0);
    std::vector<std::uint32_t> ids(values.size());
    background.ids.read(block, ids.data());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const Hole& hole = holes[background.component_of[ids[i]]];
      if (ids[i] != 0 && !hole.open && hole.voxels <= largest) values.data()[i] = 1;
    }
    mask.write(block, values.data());
  });
}

namespace {

/// The one label around a pocket of background: 0 = none seen yet, several = more than one, or open.
constexpr std::uint32_t several = std::numeric_limits<std::uint32_t>::max();

void add_label(std::uint32_t& around, std::uint32_t label) {
  if (label == 0 || around == label) return;
  around = around == 0 ? label : several;
}

/// The one label around each of the block's pockets.
std::vector<std::uint32_t> labels_around(const Box& block, const Index3& grid, const ComponentFinder::Part& part,
                                         const Array3<std::uint32_t>& labels, const Array3<std::uint8_t>& inside) {
  std::vector<std::uint32_t> around(part.count + 1, 0);
  const auto steps = face_steps(block);
  for_each_voxel(block, grid, [&](std::int64_t i, std::int64_t wide, bool border) {
    const std::uint32_t id = part.ids.data()[i];
    if (id == 0) return;
    std::uint32_t& found = around[id - part.before];
    if (found == several) return;
    if (border || inside.data()[i] == 0) found = several;
    for (const auto s : steps) add_label(found, labels.data()[wide + s]);
  });
  return around;
}

}  // namespace

std::uint64_t fill_labels(const Workspace& w, const ScratchGrid<std::uint32_t>& labels,
                          const std::function<Array3<std::uint8_t>(const Box&)>& field_of_view,
                          const ScratchGrid<std::uint8_t>& filled, const std::vector<std::uint32_t>& number) {
  ComponentFinder finder(w, Neighbours::faces);
  Tally<std::uint32_t> tally;
  for_each_block(w, "pockets", [&](const Box& block) {
    const Array3<std::uint32_t> wide = labels.padded(reaching(block, {1, 1, 1}), 0);
    const auto part = finder.add(block, zeros_of(block, w.shape, wide));
    tally.add(part, labels_around(block, w.shape, part, wide, field_of_view(block)));
  });
  const Components background = finder.finish("pockets", [&](const Box& box) {
    Array3<std::uint32_t> keys = labels.padded(box, 1);
    for (std::uint32_t& k : keys) k = k == 0 ? 1U : 0U;
    return keys;
  });
  std::vector<std::uint32_t> around = tally.take(background.component_of.size());
  for (std::uint32_t id = 1; id < around.size(); ++id)
    if (background.component_of[id] != id) add_label(around[background.component_of[id]], around[id]);
  for (std::uint32_t id = 1; id < around.size(); ++id) {
    const std::uint32_t label = around[background.component_of[id]];
    around[id] = label == several ? 0 : label;
  }
  std::uint64_t count = 0;
  std::mutex mutex;
  for_each_block(w, "pockets, filling", [&](const Box& block) {
    Array3<std::uint32_t> values = labels.padded(block, 0);
    std::vector<std::uint32_t> ids(values.size());
    background.ids.read(block, ids.data());
    Array3<std::uint8_t> changed = array3<std::uint8_t>(block.shape());
    std::uint64_t here = 0;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const bool fills = around[ids[i]] != 0;
      changed.data()[i] = fills ? 1 : 0;
      if (fills) values.data()[i] = around[ids[i]];
      if (!number.empty()) values.data()[i] = number[values.data()[i]];
      here += fills ? 1 : 0;
    }
    if (here > 0 || !number.empty()) labels.write(block, values.data());
    filled.write(block, changed.data());
    const std::scoped_lock lock(mutex);
    count += here;
  });
  return count;
}

}  // namespace cathoscope
