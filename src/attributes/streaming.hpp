#pragma once
/// Pass 1: one stream over the volume. Moments, boxes, intensities, the interface matrix, and samples of grey levels.

#include "crofton.hpp"
#include "row_runs.hpp"

#include <cathoscope/attributes/attributes.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace cathoscope::attributes {

/// Areas between a particle and what is not a particle, in units of CroftonWeights::unit.
struct OwnAreas {
  std::int64_t inner = 0;         ///< A(P|V)
  std::int64_t solid_matrix = 0;  ///< A(P|matrix)
  std::int64_t crack_matrix = 0;  ///< A(V|matrix)
  std::int64_t solid_face = 0;    ///< A(P|physical face of the volume)
  std::int64_t crack_face = 0;    ///< A(V|physical face)
};

/// Sums over the voxels of one particle with its cracks. All integers but the grey sums.
struct ParticleSums {
  std::int64_t voxels = 0, crack_voxels = 0;
  std::int64_t x = 0, y = 0, z = 0;
  std::int64_t xx = 0, yy = 0, zz = 0, xy = 0, xz = 0, yz = 0;
  std::array<std::int32_t, 3> low{INT32_MAX, INT32_MAX, INT32_MAX};  ///< z, y, x of the box
  std::array<std::int32_t, 3> high{-1, -1, -1};                      ///< inclusive
  OwnAreas areas;
  bool meets_unseen = false;  ///< a voxel shares a face with one outside the field of view
  double grey = 0, grey_squared = 0;

  void add(const ParticleSums& other);
  [[nodiscard]] Box box() const;
};

/// Interface of two particles, first < second, in units of CroftonWeights::unit.
struct Contact {
  std::uint32_t first = 0, second = 0;
  /// [class in first][class in second], class 0 = solid, 1 = crack
  std::array<std::array<std::int64_t, 2>, 2> area{};

  [[nodiscard]] std::int64_t total() const { return area[0][0] + area[0][1] + area[1][0] + area[1][1]; }
};

/// A grey value kept for the electrode's levels; position in voxels.
struct GreySample {
  float value;
  bool solid;  ///< inside a particle's solid, else between the particles
  std::array<std::int32_t, 3> position;
};

struct PassOne {
  std::vector<ParticleSums> particles;  ///< by label - 1
  std::vector<Contact> contacts;        ///< ordered by (first, second)
  std::vector<GreySample> samples;      ///< in z, y, x order
  std::vector<Vec3> edge_points;        ///< on the rim of the field of view, voxel units
  std::int64_t seen_voxels = 0;         ///< in the field of view
  CroftonWeights weights;
};

/// What of the pass is wanted; the benchmark measures the parts.
struct PassOneOptions {
  bool interfaces = true;
  bool grey = true;
};

/// Streams the volume in slabs of whole rows. Throws Error{data} where a label exceeds the number of ids.
PassOne stream_volume(const AttributeInputs& inputs, const Context& context, const PassOneOptions& options = {});

/// Which faces of the volume end the electrode: [axis z, y, x][low, high].
using Faces = std::array<std::array<bool, 2>, 3>;
Faces physical_faces(const AttributeInputs& inputs);

}  // namespace cathoscope::attributes
