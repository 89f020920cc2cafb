#pragma once
/// Synthetic electrodes whose truth is known. Every voxel is a function of (configuration, seed, position): any box can
/// be rendered on its own, at any voxel size, and gives the same bits for any block size and number of threads.
///
/// The order of calls for a whole phantom (damage planted without circularity):
///
///     Phantom phantom = make_phantom(config, seed, context);              // packing and shapes
///     if (phantom.config.plant.planted) {
///       // attributes of the crack-free bodies, leak-free profile, from labels = body_labels(phantom, h),
///       // cracks = no_cracks(phantom, h), grey = crack_free_grey(phantom, h)
///       const auto targets = damage_targets(phantom, table);
///       phantom = with_damage(phantom, targets, h, context);              // cracks until |V|/|F| meets them
///     } else {
///       phantom = with_natural_damage(phantom, h, context);               // measures what the crack statistics gave
///     }
///     copy_blocks(grey_as<std::uint8_t>(phantom, h), sink, context);      // and body_labels, cracks, crack_fraction
///     truth_yaml(phantom), electrode_yaml(phantom, ...), particle_table(phantom)
///
/// h is config.voxel_size_um, or another after phantom = with_voxels_at(phantom, h, context).

#include <cathoscope/core/grid.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/core/progress.hpp>
#include <cathoscope/core/table.hpp>
#include <cathoscope/phantom/config.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cathoscope {

using Matrix3 = std::array<float, 9>;  ///< row-major, acting on (z, y, x)

/// One feature that a particle can crack along. Features open one after the other as the particle's `opening` grows.
struct Crack {
  enum class Kind : std::uint8_t { core, radial, grains };
  Kind kind = Kind::radial;
  Matrix3 frame{};                           ///< core: to its unit ball; radial: rows = normal, outward, along
  float half_width_um = 0;                   ///< of radial and grain cracks when fully open
  float inner = 0, outer = 0;                ///< extent over the radius of the particle
  float along = 0;                           ///< radial: half-extent along the third direction over the radius
  float offset_um = 0;                       ///< radial: distance of the plane from the centre
  std::array<float, 2> wobble{};             ///< share of the two waviness fields
  float steepness = 1;                       ///< core: how fast its ragged wall goes from inside to outside
  float pinch = 0;                           ///< radial: how much the first field narrows and widens it, 1/um
  std::vector<std::array<float, 3>> grains;  ///< centres relative to the particle's, um
};

struct Particle {
  Vec3 centre_um{};
  double radius_um = 0;  ///< of the ball of equal volume, before the waves
  Matrix3 to_unit{};     ///< (position - centre) in um to the frame in which the ellipsoid is a unit ball
  Vec3 axes_um{};        ///< semi-axes, as the rows of to_unit
  float reach_um = 0;    ///< no part is farther from the centre
  float least_factor = 1;
  float largest_factor = 1;
  std::vector<float> radius_factor;  ///< waves, on an octahedral map
  std::vector<float> grain;          ///< N(0, 1) for each grain that grew outwards, on the same map
  float grey = 0;
  float void_grey = 0;
  bool fragment = false;
  bool severe = false;
  std::vector<Crack> cracks;
  double opening = 0;             ///< 0 = no crack; k = the first k features open; beyond all: all widen
  double natural_opening = 0;     ///< what the crack statistics gave
  std::int64_t body_voxels = -1;  ///< -1 = not measured
  double target_damage = -1;      ///< -1 = none asked for
  double damage = -1;             ///< |V|/|F| on the noise-free masks; -1 = not measured
};

struct Phantom {
  PhantomConfig config;  ///< every Interval drawn: low = high
  std::uint64_t seed = 0;
  Vec3 extent_um{};
  double electrode_low_um = 0;  ///< depth at which the electrode begins
  double electrode_high_um = 0;
  std::vector<Particle> particles;  ///< label = index + 1; each owns a voxel at config.voxel_size_um
  /// Given bodies instead of generated ones (semi-real mode), labels 1..particles.size().
  std::optional<GridSource<std::uint32_t>> given_bodies;
};

/// Packs particles and gives them shapes and possible cracks. Memory: some 20 kB a particle.
/// Throws Error{config} where the configuration contradicts itself (intervals upside down, unknown attributes, no
/// room).
Phantom make_phantom(const PhantomConfig& config, std::uint64_t seed, const Context& context);

/// The phantom without the particles that own no voxel at another voxel size, so that labels are dense there. Labels of
/// the rest move up. Generated bodies only.
Phantom with_voxels_at(Phantom phantom, double voxel_size_um, const Context& context);

/// Bodies of given labels (0 = none, ids of any size), cracks, grey values and noise of the generator: streams the
/// labels once. The labels' ids become 1..n in ascending order; particle i of the result is ids[i]. Extent and voxel
/// size are the labels', config.shape and voxel_size_um are ignored. Throws Error{data} where there is no label.
struct SemiReal {
  Phantom phantom;
  std::vector<std::uint64_t> ids;
};
SemiReal semi_real_phantom(const PhantomConfig& config, std::uint64_t seed, const GridSource<std::uint64_t>& labels,
                           const Context& context);

/// Number of voxels of the phantom at a voxel size: extent over voxel size, rounded to nearest, at least 1.
Index3 shape_at(const Phantom& phantom, double voxel_size_um);

/// Filled bodies, cracks included; 0 = none. Sources keep a copy of the phantom.
GridSource<std::uint32_t> body_labels(const Phantom& phantom, double voxel_size_um);
/// 1 where the voxel's centre is in a crack or core of its particle.
GridSource<std::uint8_t> cracks(const Phantom& phantom, double voxel_size_um);
/// All zero, of the same shape.
GridSource<std::uint8_t> no_cracks(const Phantom& phantom, double voxel_size_um);
/// Share of the voxel that is crack: from config.crack_samples^3 points a voxel, or with 1 as if each crack were a
/// slit.
GridSource<float> crack_fraction(const Phantom& phantom, double voxel_size_um);
/// Grey values in 8-bit units, with everything a scan does to them.
GridSource<float> grey(const Phantom& phantom, double voxel_size_um);
/// The same scan of the electrode before it cracked, without noise and artefacts.
GridSource<float> crack_free_grey(const Phantom& phantom, double voxel_size_um);

/// What `render_block` fills; a null pointer is not computed. Each holds box.size() values in z, y, x order.
struct BlockOutputs {
  float* grey = nullptr;
  std::uint32_t* labels = nullptr;
  std::uint8_t* cracks = nullptr;
};
/// Grey values, labels and cracks of one box in one go, the same values as the sources give. Thread-safe.
void render_block(const Phantom& phantom, double voxel_size_um, const Box& box, const BlockOutputs& out);

/// Grey values in file units: uint8 as they are, uint16 times 256, float as they are; rounded and clamped.
template <class T>
GridSource<T> grey_as(const Phantom& phantom, double voxel_size_um);

/// Target damage of each particle (index = label - 1) by config.plant from the attributes of the crack-free bodies.
/// `table` has the column `label` (1..n) and a numeric column for each planted attribute; attributes are standardised
/// over the rows with touches_border 0 where that column exists; missing values count as the mean. Throws Error{config}
/// for an attribute that the table lacks.
std::vector<double> damage_targets(const Phantom& phantom, const Table& table);

/// Opens cracks in every particle until |V|/|F|, measured on the masks at this voxel size, is nearest to its target:
/// within 0.005 wherever the particle has more than some hundred voxels. Warns with the number of particles that miss
/// it.
Phantom with_damage(Phantom phantom, const std::vector<double>& targets, double voxel_size_um, const Context& context);
/// Keeps the crack statistics' own openings and measures body voxels and damage.
Phantom with_natural_damage(Phantom phantom, double voxel_size_um, const Context& context);

/// What is true by construction: label, centre, axes, grey levels, class, target and measured damage.
Table particle_table(const Phantom& phantom);
/// All parameters as drawn, the seed, and the word synthetic. YAML.
std::string truth_yaml(const Phantom& phantom);
/// The same for a table without voxels.
std::string table_truth_yaml(const PhantomConfig& config, std::uint64_t seed, std::int64_t rows);
/// Names of the files beside electrode.yaml, for the entry under `electrodes:`.
struct PhantomFiles {
  std::string volume = "volume.h5";
  std::string labels = "labels.h5";
  std::string cracks = "cracks.h5";
};
/// An entry for a run's `electrodes:` list; the truth labels are there as comments. YAML.
std::string electrode_yaml(const Phantom& phantom, const std::string& name, double voxel_size_um,
                           const PhantomFiles& files);
/// A whole study of it, with the true labels and cracks in place of a segmentation. YAML.
std::string run_yaml(const Phantom& phantom, const std::string& name, double voxel_size_um, const PhantomFiles& files);

/// Rows of a table of particles without voxels, with damage planted by config.plant. Row i depends on (config, seed, i,
/// number of rows) only. Neighbourhood columns are drawn from spatial random fields of the size of the real ones.
/// Values are of the leak-free kind; crack_attributes follow from Damage.
Table planted_rows(const PhantomConfig& config, std::uint64_t seed, std::int64_t rows, std::int64_t begin,
                   std::int64_t end);
/// The whole table in pieces of some thousand rows, as CSV text for `write` (header first). Bounded memory.
void write_planted_csv(const PhantomConfig& config, std::uint64_t seed, std::int64_t rows,
                       const std::function<void(std::string_view)>& write, const Context& context);

/// Copies a source to a sink, blocks in parallel, writes in a fixed order (files come out the same for any number of
/// threads). `advance` is called with finished voxels.
template <class T>
void copy_blocks(const GridSource<T>& from, const GridSink<T>& to, const Index3& block, const Context& context) {
  const auto tiles = blocks(from.shape, block);
  const auto at_once = static_cast<std::size_t>(std::max(1, context.threads)) * 2;
  std::vector<Array3<T>> buffers(at_once);
  for (std::size_t first = 0; first < tiles.size(); first += at_once) {
    const std::size_t n = std::min(at_once, tiles.size() - first);
    parallel_for(static_cast<std::int64_t>(n), context.threads, [&](std::int64_t i) {
      buffers[static_cast<std::size_t>(i)] = from.load(tiles[first + static_cast<std::size_t>(i)]);
    });
    for (std::size_t i = 0; i < n; ++i) {
      to.write(tiles[first + i], buffers[i].data());
      context.progress.advance(static_cast<std::uint64_t>(tiles[first + i].size()));
    }
  }
}

}  // namespace cathoscope
