#include <cathoscope/attributes/attributes.hpp>

#include "fields3.hpp"

#include <cathoscope/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

namespace cathoscope {

namespace {

/// A fine voxel that overlaps a coarse one, and the length of the overlap in fine voxels.
struct Overlap {
  std::int64_t index;
  double length;
};

/// The grids and how they overlap. Everything is found from absolute indices: no box shows in a result.
struct Coarsening {
  Index3 fine_shape, shape;
  Vec3 fine_um, coarse_um;

  [[nodiscard]] double ratio(std::size_t axis) const { return coarse_um[axis] / fine_um[axis]; }

  [[nodiscard]] std::vector<Overlap> overlaps(std::size_t axis, std::int64_t i) const {
    const double low = static_cast<double>(i) * ratio(axis), high = static_cast<double>(i + 1) * ratio(axis);
    std::vector<Overlap> result;
    const auto first = static_cast<std::int64_t>(std::floor(low + 1e-9));
    for (std::int64_t k = first; k < fine_shape[axis] && static_cast<double>(k) < high - 1e-9; ++k)
      result.push_back({k, std::min(high, static_cast<double>(k + 1)) - std::max(low, static_cast<double>(k))});
    return result;
  }

  /// The fine voxels under a coarse box, with `margin` around them.
  [[nodiscard]] Box fine_box(const Box& box, const Index3& margin) const {
    Box fine;
    for (std::size_t a = 0; a < 3; ++a) {
      fine.begin[a] = static_cast<std::int64_t>(std::floor(static_cast<double>(box.begin[a]) * ratio(a) + 1e-9));
      fine.end[a] = static_cast<std::int64_t>(std::ceil(static_cast<double>(box.end[a]) * ratio(a) - 1e-9));
    }
    return grown(fine, margin, fine_shape);
  }
};

Coarsening coarsening_of(const AttributeInputs& inputs, const Vec3& voxel_size_um) {
  Coarsening c{inputs.labels.shape, {}, inputs.labels.voxel_size_um, voxel_size_um};
  for (std::size_t a = 0; a < 3; ++a) {
    if (inputs.two_dimensional && a == 0) c.coarse_um[0] = c.fine_um[0];
    if (!(c.coarse_um[a] >= c.fine_um[a] * (1 - 1e-9)))
      fail(Exit::internal, "resolution can only be lowered: asked for {} um from {} um", c.coarse_um[a], c.fine_um[a]);
    c.shape[a] = static_cast<std::int64_t>(std::floor(static_cast<double>(c.fine_shape[a]) / c.ratio(a) + 1e-6));
    if (c.shape[a] < 1) fail(Exit::data, "the volume is thinner than one voxel of {} um", c.coarse_um[a]);
  }
  return c;
}

/// Calls f(index in `out`, z, y, x overlaps) for every coarse voxel of the box.
template <class F>
void for_each_coarse(const Coarsening& c, const Box& box, const F& f) {
  std::array<std::vector<std::vector<Overlap>>, 3> overlaps;
  for (std::size_t a = 0; a < 3; ++a)
    for (std::int64_t i = box.begin[a]; i < box.end[a]; ++i) overlaps[a].push_back(c.overlaps(a, i));
  std::size_t at = 0;
  for (const auto& z : overlaps[0])
    for (const auto& y : overlaps[1])
      for (const auto& x : overlaps[2]) f(at++, z, y, x);
}

/// Calls f(index in the fine box, weight) for every fine voxel under a coarse one.
template <class F>
void for_each_fine(const Box& fine, const std::vector<Overlap>& zs, const std::vector<Overlap>& ys,
                   const std::vector<Overlap>& xs, const F& f) {
  const Index3 n = fine.shape();
  for (const Overlap& z : zs)
    for (const Overlap& y : ys)
      for (const Overlap& x : xs)
        f(static_cast<std::size_t>(((z.index - fine.begin[0]) * n[1] + y.index - fine.begin[1]) * n[2] + x.index -
                                   fine.begin[2]),
          z.length * y.length * x.length);
}

/// Index of the fine voxel at or just below the centre of a coarse one.
std::size_t central(const Box& fine, const std::vector<Overlap>& zs, const std::vector<Overlap>& ys,
                    const std::vector<Overlap>& xs) {
  const auto middle = [](const std::vector<Overlap>& o) { return o[(o.size() - 1) / 2].index; };
  const Index3 n = fine.shape();
  return static_cast<std::size_t>(((middle(zs) - fine.begin[0]) * n[1] + middle(ys) - fine.begin[1]) * n[2] +
                                  middle(xs) - fine.begin[2]);
}

struct Share {
  std::uint32_t label;
  double weight;
  double crack;
};

/// What the particles have of one coarse voxel. Where shares tie, as they often do at whole ratios, the fine voxel at
/// or just below the centre decides: to round ties up would make particles and cracks thicker.
class Shares {
 public:
  void clear(std::uint32_t central_label, bool central_crack) {
    shares_.clear(), total_ = 0;
    central_ = {central_label, 0, central_crack ? 1.0 : 0.0};
  }
  void add(std::uint32_t label, bool crack, double weight) {
    total_ += weight;
    if (label == 0) return;
    auto at = std::find_if(shares_.begin(), shares_.end(), [&](const Share& s) { return s.label == label; });
    if (at == shares_.end()) at = shares_.insert(shares_.end(), {label, 0, 0});
    at->weight += weight;
    if (crack) at->crack += weight;
  }
  /// The particle with the largest share, where particles have half; else label 0.
  [[nodiscard]] Share winner() const {
    Share best{0, 0, 0};
    double all = 0;
    for (const Share& s : shares_) {
      all += s.weight;
      if (s.weight > best.weight + 1e-9 || (s.weight > best.weight - 1e-9 && goes_before(s, best))) best = s;
    }
    return more_than_half(all, total_, central_.label != 0) ? best : Share{0, 0, 0};
  }
  [[nodiscard]] bool is_crack(const Share& s) const {
    return s.label != 0 && more_than_half(s.crack, s.weight, central_.label == s.label && central_.crack > 0);
  }

 private:
  [[nodiscard]] bool goes_before(const Share& a, const Share& b) const {
    if ((a.label == central_.label) != (b.label == central_.label)) return a.label == central_.label;
    return a.label < b.label;
  }
  [[nodiscard]] static bool more_than_half(double part, double whole, bool if_equal) {
    const double over = part - 0.5 * whole;
    return std::abs(over) < 1e-9 ? if_equal : over > 0;
  }

  Share central_{0, 0, 0};
  std::vector<Share> shares_;
  double total_ = 0;
};

/// on(index, label, crack) for every coarse voxel of the box.
template <class F>
void for_each_winner(const AttributeInputs& in, const Coarsening& c, const Box& box, const F& on) {
  const Box fine = c.fine_box(box, {0, 0, 0});
  const auto size = static_cast<std::size_t>(fine.size());
  const std::unique_ptr<std::uint32_t[]> labels(new std::uint32_t[size]);
  std::vector<std::uint8_t> cracks(size, 0);
  in.labels.read(fine, labels.get());
  if (in.cracks.read) in.cracks.read(fine, cracks.data());
  Shares shares;
  for_each_coarse(c, box, [&](std::size_t at, const auto& z, const auto& y, const auto& x) {
    const std::size_t centre = central(fine, z, y, x);
    bool alike = true;  // most voxels lie within one particle or none
    for_each_fine(fine, z, y, x, [&](std::size_t i, double) {
      alike = alike && labels[i] == labels[centre] && cracks[i] == cracks[centre];
    });
    if (alike) return on(at, labels[centre], labels[centre] != 0 && cracks[centre] != 0);
    shares.clear(labels[centre], cracks[centre] != 0);
    for_each_fine(fine, z, y, x, [&](std::size_t i, double w) { shares.add(labels[i], cracks[i] != 0, w); });
    const Share winner = shares.winner();
    on(at, winner.label, shares.is_crack(winner));
  });
}

template <class T>
GridSource<T> coarse_source(const GridSource<T>& fine, const Coarsening& c) {
  return {c.shape, c.coarse_um, fine.origin_um, {}};
}

GridSource<float> coarse_grey(const GridSource<float>& grey, const Coarsening& c) {
  GridSource<float> r = coarse_source(grey, c);
  Vec3 sigma{};
  Index3 margin{};
  for (std::size_t a = 0; a < 3; ++a) {
    const double fine = c.fine_um[a] * c.fine_um[a], coarse = c.coarse_um[a] * c.coarse_um[a];
    // what the fine voxel has averaged already, h^2/12, is not blurred once more
    sigma[a] = std::sqrt(std::max(0.0, (coarse - fine) / 4 - fine / 12));
    margin[a] = static_cast<std::int64_t>(std::ceil(3.5 * sigma[a] / c.fine_um[a]));
  }
  r.read = [grey, c, sigma, margin](const Box& box, float* out) {
    const Box fine = c.fine_box(box, margin);
    attributes::Field field(fine.shape());
    grey.read(fine, field.values.data());
    field = attributes::smoothed(std::move(field), c.fine_um, sigma);
    for_each_coarse(c, box, [&](std::size_t at, const auto& z, const auto& y, const auto& x) {
      double sum = 0, weight = 0;
      for_each_fine(fine, z, y, x, [&](std::size_t i, double w) { sum += w * field.values[i], weight += w; });
      out[at] = static_cast<float>(sum / weight);
    });
  };
  return r;
}

GridSource<std::uint8_t> coarse_view(const GridSource<std::uint8_t>& seen, const Coarsening& c) {
  GridSource<std::uint8_t> r = coarse_source(seen, c);
  r.read = [seen, c](const Box& box, std::uint8_t* out) {
    const Box fine = c.fine_box(box, {0, 0, 0});
    std::vector<std::uint8_t> values(static_cast<std::size_t>(fine.size()));
    seen.read(fine, values.data());
    for_each_coarse(c, box, [&](std::size_t at, const auto& z, const auto& y, const auto& x) {
      bool all = true;
      for_each_fine(fine, z, y, x, [&](std::size_t i, double) { all = all && values[i] != 0; });
      out[at] = all ? 1 : 0;
    });
  };
  return r;
}

}  // namespace

AttributeInputs degraded(const AttributeInputs& inputs, const Vec3& voxel_size_um) {
  const Coarsening c = coarsening_of(inputs, voxel_size_um);
  AttributeInputs r = inputs;
  r.labels = coarse_source(inputs.labels, c);
  r.labels.read = [inputs, c](const Box& box, std::uint32_t* out) {
    for_each_winner(inputs, c, box, [&](std::size_t at, std::uint32_t label, bool) { out[at] = label; });
  };
  if (inputs.cracks.read) {
    r.cracks = coarse_source(inputs.cracks, c);
    r.cracks.read = [inputs, c](const Box& box, std::uint8_t* out) {
      for_each_winner(inputs, c, box, [&](std::size_t at, std::uint32_t, bool crack) { out[at] = crack ? 1 : 0; });
    };
  }
  if (inputs.grey) r.grey = coarse_grey(*inputs.grey, c);
  if (inputs.field_of_view) r.field_of_view = coarse_view(*inputs.field_of_view, c);
  return r;
}

}  // namespace cathoscope
