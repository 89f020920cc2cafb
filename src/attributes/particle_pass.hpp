#pragma once
/// Pass 2: one particle at a time, in its box grown by what the attribute looks at.

#include "bit_mask.hpp"
#include "grey_levels.hpp"
#include "streaming.hpp"

#include <cathoscope/attributes/attributes.hpp>
#include <cathoscope/core/ranks.hpp>

#include <functional>
#include <limits>
#include <optional>
#include <vector>

namespace cathoscope::attributes {

inline constexpr double missing = std::numeric_limits<double>::quiet_NaN();

/// What pass 2 finds of a particle. NaN where it does not exist or could not be measured.
struct ParticleDetails {
  double contact = missing;  ///< share of the outer surface with another particle within the distance
  double rough_outer = missing, rough_inner = missing;
  double rough_outer_legacy = missing;  ///< S after a 3 x 3 x 3 median over S before (a smoothness, at most about 1)
  bool rough_from_grey = false;
  double edge_blur_um = missing;                       ///< standard deviation of the edge's blur
  double eroded_mean = missing, eroded_std = missing;  ///< grey values of P eroded by a voxel
  double binder_contact = missing;
  double open_crack_share = missing;  ///< of the crack volume; missing without cracks
  double components = missing;        ///< of F, 26 neighbours
};

/// Throws Error{no_memory} before it measures any particle if the box of one needs more than half of the memory.
std::vector<ParticleDetails> measure_particles(const AttributesConfig& config, const AttributeInputs& inputs,
                                               const PassOne& streamed, const std::optional<GreyLevels>& levels,
                                               const Context& context);

/// What measure_particles() on rank 0 asks of rank `rank` > 0, which has the same inputs.
RankTasks particle_tasks(std::int64_t rank, const AttributesConfig& config,
                         const std::function<const AttributeInputs&()>& inputs, const Context& context);

/// A particle and its surroundings, as masks of one box.
struct Neighbourhood {
  Box box;
  Vec3 voxel_size_um{};
  BitMask envelope;         ///< F
  BitMask solid;            ///< P
  BitMask cracks;           ///< V
  BitMask others;           ///< other particles
  BitMask matrix;           ///< no particle, inside the field of view
  std::vector<float> grey;  ///< z, y, x; empty where there is no grey volume
};

/// Loads F, its cracks, and what is around it.
Neighbourhood neighbourhood_of(const AttributeInputs& inputs, std::uint32_t label, const Box& box);

/// Surface of F within contact_distance_um of another particle, over `outer_area_um2`. Distances are taken from the
/// voxel just outside F to the nearest voxel of another particle, which makes the gap between two surfaces unbiased.
double contact_share(const Neighbourhood& n, double contact_distance_um, double outer_area_um2,
                     const CroftonWeights& weights);

/// Surface of F that faces carbon and binder, over `outer_area_um2`: the mean grey value of the matrix around it,
/// weighted by a Gaussian of two voxels and clear of the particles' blur, is above the binder limit.
double binder_share(const Neighbourhood& n, const GreyLevels& levels, double outer_area_um2,
                    const CroftonWeights& weights);

struct Roughness {
  double outer = missing, inner = missing, outer_legacy = missing;
  bool from_grey = false;
  double edge_blur_um = missing;
};

/// Whether the kernel is at least half as wide as the largest voxel edge. A narrower one leaves the body exactly as it is,
/// and the roughness would be a constant 1 instead of a measurement.
bool smoothing_acts(const Vec3& voxel_size_um, double sigma_um);

/// S / S_smooth of the outer and of the inner surface; missing where the smoothing does not act.
Roughness roughness_of(const Neighbourhood& n, double sigma_um, bool grey_is_phases, double inner_area_um2,
                       const CroftonWeights& weights);

/// Voxels that roughness_of and binder_share look at around the envelope.
Index3 roughness_reach(const Vec3& voxel_size_um, double sigma_um);

}  // namespace cathoscope::attributes
