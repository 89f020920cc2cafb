/// Boxes of a phantom, and the sources that read them.

#include "cracks.hpp"
#include "optics.hpp"

#include <cathoscope/core/error.hpp>

#include <type_traits>

namespace cathoscope {

using namespace phantom_detail;

namespace {

/// Voxels an axis of the tiles in which big boxes are worked: scratch memory of some 60 MB a thread.
constexpr Index3 tile_shape{64, 64, 192};

/// Calls f(tile) for tiles of `box`.
template <class F>
void each_tile(const Box& box, F&& f) {
  for (Box tile : blocks(box.shape(), tile_shape)) {
    for (std::size_t a = 0; a < 3; ++a) {
      tile.begin[a] += box.begin[a];
      tile.end[a] += box.begin[a];
    }
    f(tile);
  }
}

/// Copies a tile's values into their place in a box.
template <class T>
void place(const T* from, const Box& tile, const Box& box, T* to) {
  const auto n = tile.shape(), m = box.shape();
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      std::copy_n(from + (z * n[1] + y) * n[2], n[2],
                  to + ((tile.begin[0] - box.begin[0] + z) * m[1] + tile.begin[1] - box.begin[1] + y) * m[2] +
                      tile.begin[2] - box.begin[2]);
}

Box shifted(const Box& box, const Box& frame) {
  Box r = box;
  for (std::size_t a = 0; a < 3; ++a) {
    r.begin[a] -= frame.begin[a];
    r.end[a] -= frame.begin[a];
  }
  return r;
}

Box widened(const Box& box, std::int64_t by) {
  return {{box.begin[0] - by, box.begin[1] - by, box.begin[2] - by},
          {box.end[0] + by, box.end[1] + by, box.end[2] + by}};
}

template <class T>
std::vector<T> part(const std::vector<T>& of, const Box& whole_box, const Box& box) {
  std::vector<T> out(static_cast<std::size_t>(box.size()));
  copy_box(of.data(), whole_box.shape(), shifted(box, whole_box), out.data());
  return out;
}

bool lossy(const Phantom& phantom) { return phantom.config.artefacts.jpeg_share >= 1; }

/// Grey values of a tile from its sharp scene, which covers `outer`: `inner` (the tile, or the whole 8 x 8 tiles around
/// it) grown by the halo.
std::vector<float> tile_grey(const Phantom& phantom, double voxel_um, const Box& outer, const Box& inner,
                             const Box& tile, std::vector<float> scene) {
  auto grey = through_optics(phantom, voxel_um, outer, inner, scene);
  const View view{inner, voxel_um};
  add_scan_effects(phantom, view, grey);
  if (lossy(phantom)) quantise_tiles(phantom.config.artefacts.jpeg_quality[0], view, grey);
  grey = part(grey, inner, tile);
  pad_outside(phantom, {tile, voxel_um}, grey.data());
  return grey;
}

void place_labels(const Bodies& bodies, const Box& outer, const Box& tile, const Box& box, std::uint32_t* out) {
  std::vector<std::uint32_t> labels(bodies.owner.size());
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = label_of(bodies, i);
  place(part(labels, outer, tile).data(), tile, box, out);
}

void render_tile(const Phantom& phantom, double voxel_um, const Box& box, const Box& tile, const BlockOutputs& out) {
  const Box inner = out.grey && lossy(phantom) ? whole_tiles(tile) : tile;
  const View outer{out.grey ? widened(inner, optics_halo(phantom, voxel_um)) : tile, voxel_um};
  const Bodies bodies = bodies_in(phantom, outer);
  if (out.labels) place_labels(bodies, outer.box, tile, box, out.labels);
  if (!out.grey && !out.cracks) return;
  const CrackField field = cracks_in(phantom, outer, bodies, out.grey != nullptr);
  if (out.cracks) place(part(field.hit, outer.box, tile).data(), tile, box, out.cracks);
  if (out.grey)
    place(
        tile_grey(phantom, voxel_um, outer.box, inner, tile, scene_grey(phantom, outer, bodies, field.coverage)).data(),
        tile, box, out.grey);
}

/// Crack as slits, inside as the distance to the surface says: its sum is within a few per cent of many samples, at
/// the cost of one.
std::vector<float> tile_slits(const Phantom& phantom, double voxel_um, const Box& tile) {
  const View view{tile, voxel_um};
  const Bodies bodies = bodies_in(phantom, view);
  auto fraction = cracks_in(phantom, view, bodies, true).coverage;
  for (std::size_t i = 0; i < fraction.size(); ++i)
    if (fraction[i] > 0) fraction[i] *= inside_of(phantom, bodies, i, voxel_um);
  return fraction;
}

std::vector<float> tile_samples(const Phantom& phantom, double voxel_um, const Box& tile) {
  const std::int64_t k = phantom.config.crack_samples;
  Box fine = tile;
  for (std::size_t a = 0; a < 3; ++a) {
    fine.begin[a] *= k;
    fine.end[a] *= k;
  }
  const View view{fine, voxel_um / static_cast<double>(k)};
  const auto mask = cracks_in(phantom, view, bodies_in(phantom, view), false).hit;
  const auto n = fine.shape(), m = tile.shape();
  std::vector<float> fraction(static_cast<std::size_t>(tile.size()));
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y) {
      const std::uint8_t* row = mask.data() + (z * n[1] + y) * n[2];
      float* to = fraction.data() + ((z / k) * m[1] + y / k) * m[2];
      for (std::int64_t x = 0; x < n[2]; ++x) to[x / k] += row[x];
    }
  for (float& f : fraction) f /= static_cast<float>(k * k * k);
  return fraction;
}

template <class T, class F>
GridSource<T> source(const Phantom& phantom, double voxel_um, F&& read) {
  if (!(voxel_um > 0)) fail(Exit::config, "phantom: a voxel size of {} um is not above 0", voxel_um);
  auto kept = std::make_shared<const Phantom>(phantom);
  GridSource<T> s;
  s.shape = shape_at(phantom, voxel_um);
  s.voxel_size_um = {voxel_um, voxel_um, voxel_um};
  s.read = [kept, voxel_um, read](const Box& box, T* out) {
    each_tile(box, [&](const Box& tile) { read(*kept, voxel_um, box, tile, out); });
  };
  return s;
}

}  // namespace

Index3 shape_at(const Phantom& phantom, double voxel_size_um) {
  Index3 shape;
  for (std::size_t a = 0; a < 3; ++a)
    shape[a] = std::max<std::int64_t>(1, std::llround(phantom.extent_um[a] / voxel_size_um));
  return shape;
}

void render_block(const Phantom& phantom, double voxel_size_um, const Box& box, const BlockOutputs& out) {
  each_tile(box, [&](const Box& tile) { render_tile(phantom, voxel_size_um, box, tile, out); });
}

GridSource<std::uint32_t> body_labels(const Phantom& phantom, double voxel_size_um) {
  return source<std::uint32_t>(phantom, voxel_size_um,
                               [](const Phantom& p, double h, const Box& box, const Box& tile, std::uint32_t* out) {
                                 render_tile(p, h, box, tile, {nullptr, out, nullptr});
                               });
}

GridSource<std::uint8_t> cracks(const Phantom& phantom, double voxel_size_um) {
  return source<std::uint8_t>(phantom, voxel_size_um,
                              [](const Phantom& p, double h, const Box& box, const Box& tile, std::uint8_t* out) {
                                render_tile(p, h, box, tile, {nullptr, nullptr, out});
                              });
}

GridSource<std::uint8_t> no_cracks(const Phantom& phantom, double voxel_size_um) {
  GridSource<std::uint8_t> s{shape_at(phantom, voxel_size_um), {voxel_size_um, voxel_size_um, voxel_size_um}, {}, {}};
  s.read = [](const Box& box, std::uint8_t* out) { std::fill_n(out, box.size(), std::uint8_t{0}); };
  return s;
}

GridSource<float> crack_fraction(const Phantom& phantom, double voxel_size_um) {
  return source<float>(
      phantom, voxel_size_um, [](const Phantom& p, double h, const Box& box, const Box& tile, float* out) {
        const auto fraction = p.config.crack_samples > 1 ? tile_samples(p, h, tile) : tile_slits(p, h, tile);
        place(fraction.data(), tile, box, out);
      });
}

GridSource<float> grey(const Phantom& phantom, double voxel_size_um) {
  return source<float>(phantom, voxel_size_um,
                       [](const Phantom& p, double h, const Box& box, const Box& tile, float* out) {
                         render_tile(p, h, box, tile, {out, nullptr, nullptr});
                       });
}

GridSource<float> crack_free_grey(const Phantom& phantom, double voxel_size_um) {
  return source<float>(phantom, voxel_size_um,
                       [](const Phantom& p, double h, const Box& box, const Box& tile, float* out) {
                         const View outer{widened(tile, optics_halo(p, h)), h};
                         const auto scene = scene_grey(p, outer, bodies_in(p, outer), {});
                         place(through_optics(p, h, outer.box, tile, scene).data(), tile, box, out);
                       });
}

template <class T>
GridSource<T> grey_as(const Phantom& phantom, double voxel_size_um) {
  const auto values = grey(phantom, voxel_size_um);
  if constexpr (std::is_same_v<T, float>) {
    return values;
  } else {
    GridSource<T> s{values.shape, values.voxel_size_um, values.origin_um, {}};
    s.read = [values](const Box& box, T* out) {
      constexpr float factor = sizeof(T) == 2 ? 256.0F : 1.0F;
      constexpr auto top = static_cast<float>(std::numeric_limits<T>::max());
      const auto grey_values = values.load(box);
      const float* in = grey_values.data();
      for (std::int64_t i = 0; i < box.size(); ++i)
        out[i] = static_cast<T>(std::clamp(std::round(in[i] * factor), 0.0F, top));
    };
    return s;
  }
}

template GridSource<std::uint8_t> grey_as<std::uint8_t>(const Phantom&, double);
template GridSource<std::uint16_t> grey_as<std::uint16_t>(const Phantom&, double);
template GridSource<float> grey_as<float>(const Phantom&, double);

}  // namespace cathoscope
