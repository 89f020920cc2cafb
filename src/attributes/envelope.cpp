#include "envelope.hpp"

#include "components.hpp"
#include "fields3.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/text.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <tuple>

namespace cathoscope::attributes {

namespace {

/// Voxels [begin, end) of a row that an envelope adds to its particle.
struct AddedRun {
  std::int32_t z, y, begin, end;
  std::uint32_t label;
};

/// The box grown by `margin` and not cut to the volume: closing must not see a wall there.
Box padded(const Box& box, const Index3& margin, bool two_dimensional) {
  Box r = box;
  for (std::size_t i = two_dimensional ? 1 : 0; i < 3; ++i) {
    r.begin[i] -= margin[i];
    r.end[i] += margin[i];
  }
  return r;
}

/// Solid of the particle, and the voxels it may take, in the padded box.
struct Surroundings {
  BitMask solid, free;
};

Surroundings surroundings_of(const AttributeInputs& inputs, std::uint32_t label, const Box& outer) {
  const Box inner = intersect(outer, whole(inputs.labels.shape));
  const Index3 shape = outer.shape(), size = inner.shape();
  std::vector<std::uint32_t> labels(static_cast<std::size_t>(inner.size()));
  inputs.labels.read(inner, labels.data());
  std::vector<std::uint8_t> cracks(labels.size(), 0), seen(labels.size(), 1);
  if (inputs.cracks.read) inputs.cracks.read(inner, cracks.data());
  if (inputs.field_of_view) inputs.field_of_view->read(inner, seen.data());
  Surroundings s{BitMask(shape), BitMask(shape)};
  std::size_t i = 0;
  for (std::int64_t z = 0; z < size[0]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[2]; ++x, ++i) {
        const std::int64_t oz = z + inner.begin[0] - outer.begin[0], oy = y + inner.begin[1] - outer.begin[1];
        const std::int64_t ox = x + inner.begin[2] - outer.begin[2];
        if (labels[i] == label && cracks[i] == 0)
          s.solid.set(oz, oy, ox);
        else if ((labels[i] == 0 && seen[i] != 0) || labels[i] == label)
          s.free.set(oz, oy, ox);
      }
  return s;
}

BitMask everything(const Index3& shape) {
  const std::vector<char> row(static_cast<std::size_t>(volume_of(shape)), 1);
  return mask_where(row.data(), shape, [](char) { return true; });
}

/// The mask and all background that is not connected to the rim of the box through faces.
BitMask filled(const BitMask& mask, const BitMask& all, bool two_dimensional) {
  const Index3& s = mask.shape();
  const Components holes = components_of(all - mask, Connectivity::faces);
  std::vector<bool> enclosed(holes.count, true);
  for (const ComponentRun& r : holes.runs) {
    const bool z_rim = !two_dimensional && (r.z == 0 || r.z == s[0] - 1);
    if (z_rim || r.y == 0 || r.y == s[1] - 1 || r.begin == 0 || r.end == s[2]) enclosed[r.component] = false;
  }
  return mask | selected(holes, enclosed, s);
}

std::vector<AddedRun> added_by_closing(const AttributeInputs& inputs, std::uint32_t label, const Box& outer,
                                       double radius_um) {
  const Surroundings s = surroundings_of(inputs, label, outer);
  const Vec3& h = inputs.labels.voxel_size_um;
  const BitMask all = everything(s.solid.shape());
  const BitMask grown_mask = within(s.solid, h, radius_um);
  const BitMask closed = grown_mask - within(all - grown_mask, h, radius_um);
  const BitMask added = filled(closed | s.solid, all, inputs.two_dimensional) & s.free;
  std::vector<AddedRun> runs;
  for (const ComponentRun& r : components_of(added, Connectivity::faces).runs)
    runs.push_back({static_cast<std::int32_t>(r.z + outer.begin[0]), static_cast<std::int32_t>(r.y + outer.begin[1]),
                    static_cast<std::int32_t>(r.begin + outer.begin[2]),
                    static_cast<std::int32_t>(r.end + outer.begin[2]), label});
  return runs;
}

/// Takes from `run` what the runs of `row` have already, and appends the rest in parts.
void append_unclaimed(AddedRun run, std::vector<AddedRun>& row) {
  const std::size_t claimed = row.size();
  std::vector<AddedRun> rest{run};
  for (std::size_t i = 0; i < claimed; ++i) {
    std::vector<AddedRun> next;
    for (const AddedRun& r : rest) {
      if (row[i].end <= r.begin || r.end <= row[i].begin) {
        next.push_back(r);
        continue;
      }
      if (r.begin < row[i].begin) next.push_back({r.z, r.y, r.begin, row[i].begin, r.label});
      if (row[i].end < r.end) next.push_back({r.z, r.y, row[i].end, r.end, r.label});
    }
    rest = std::move(next);
  }
  row.insert(row.end(), rest.begin(), rest.end());
}

/// Disjoint runs by z, y; of two claims the smaller label's stands.
std::vector<AddedRun> without_conflicts(std::vector<AddedRun> runs) {
  std::sort(runs.begin(), runs.end(), [](const AddedRun& a, const AddedRun& b) {
    return std::tie(a.z, a.y, a.label, a.begin) < std::tie(b.z, b.y, b.label, b.begin);
  });
  std::vector<AddedRun> result, row;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    append_unclaimed(runs[i], row);
    if (i + 1 < runs.size() && runs[i + 1].z == runs[i].z && runs[i + 1].y == runs[i].y) continue;
    result.insert(result.end(), row.begin(), row.end());
    row.clear();
  }
  return result;
}

using Runs = std::shared_ptr<const std::vector<AddedRun>>;

/// Writes value_of(run) into the part of `out` that the runs cover.
template <class T, class F>
void lay_over(const std::vector<AddedRun>& runs, const Box& box, T* out, const F& value_of) {
  const Index3 n = box.shape();
  for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z) {
    auto run = std::lower_bound(
        runs.begin(), runs.end(), std::pair(z, box.begin[1]),
        [](const AddedRun& r, const auto& at) { return std::pair<std::int64_t, std::int64_t>(r.z, r.y) < at; });
    for (; run != runs.end() && run->z == z && run->y < box.end[1]; ++run) {
      T* row = out + ((z - box.begin[0]) * n[1] + run->y - box.begin[1]) * n[2];
      const std::int64_t begin = std::max<std::int64_t>(run->begin, box.begin[2]);
      const std::int64_t end = std::min<std::int64_t>(run->end, box.end[2]);
      for (std::int64_t x = begin; x < end; ++x) row[x - box.begin[2]] = value_of(*run);
    }
  }
}

AttributeInputs with_runs(const AttributeInputs& inputs, const Runs& runs) {
  AttributeInputs r = inputs;
  r.damage_source = "closing";
  r.labels.read = [base = inputs.labels, cracks = inputs.cracks, runs](const Box& box, std::uint32_t* out) {
    base.read(box, out);
    if (cracks.read) {
      const auto size = static_cast<std::size_t>(box.size());
      const std::unique_ptr<std::uint8_t[]> flags(new std::uint8_t[size]);
      cracks.read(box, flags.get());
      for (std::size_t i = 0; i < size; ++i) out[i] = flags[i] != 0 ? 0 : out[i];
    }
    lay_over(*runs, box, out, [](const AddedRun& run) { return run.label; });
  };
  r.cracks = {inputs.labels.shape, inputs.labels.voxel_size_um, inputs.labels.origin_um, {}};
  r.cracks.read = [runs](const Box& box, std::uint8_t* out) {
    std::fill_n(out, box.size(), std::uint8_t{0});
    lay_over(*runs, box, out, [](const AddedRun&) { return std::uint8_t{1}; });
  };
  return r;
}

}  // namespace

AttributeInputs closed_envelopes(const AttributeInputs& inputs, const std::vector<Box>& boxes, double radius_um,
                                 const Context& context) {
  Index3 margin{};
  for (std::size_t i = 0; i < 3; ++i)
    margin[i] = static_cast<std::int64_t>(std::ceil(radius_um / inputs.labels.voxel_size_um[i])) + 2;
  std::vector<std::vector<AddedRun>> added(boxes.size());
  context.progress.begin("attributes: envelopes", boxes.size());
  parallel_for(static_cast<std::int64_t>(boxes.size()), context.threads, [&](std::int64_t i) {
    const auto k = static_cast<std::size_t>(i);
    if (!boxes[k].empty()) {
      const Box outer = padded(boxes[k], margin, inputs.two_dimensional);
      const std::uint64_t bytes = static_cast<std::uint64_t>(outer.size()) * 24;
      if (bytes > context.memory_bytes)
        fail(Exit::no_memory,
             "attributes.envelope: closing of particle {} needs a box of {} voxels, {} of memory; {} are allowed. "
             "Give the run more memory, or use envelope: instance",
             inputs.label_ids[k], outer.size(), bytes_text(static_cast<double>(bytes)),
             bytes_text(static_cast<double>(context.memory_bytes)));
      added[k] = added_by_closing(inputs, static_cast<std::uint32_t>(k + 1), outer, radius_um);
    }
    context.progress.advance();
  });
  std::vector<AddedRun> all;
  for (auto& runs : added) all.insert(all.end(), runs.begin(), runs.end());
  return with_runs(inputs, std::make_shared<const std::vector<AddedRun>>(without_conflicts(std::move(all))));
}

}  // namespace cathoscope::attributes
