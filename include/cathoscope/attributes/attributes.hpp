#pragma once
/// From labels to the attributes of every particle.

#include <cathoscope/core/fields.hpp>
#include <cathoscope/core/grid.hpp>
#include <cathoscope/core/progress.hpp>
#include <cathoscope/core/table.hpp>
#include <cathoscope/core/verification.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

/// `attributes`
struct AttributesConfig {
  std::string profile = "leak_free";
  std::string envelope = "instance";
  double roughness_sigma_um = 0.15;
  double guard_um = 0;
  double contact_distance_um = 1.0;
  double packing_cube_um = 30;
  bool match_resolution = true;
  std::int64_t neighbours = 6;
  double closing_radius_um = 1.0;
};

template <class V>
void fields(V& v, AttributesConfig& c) {
  v("profile", c.profile, "which table the inference uses: leak_free, or paper (whose columns contain the crack mask)",
    one_of({"leak_free", "paper"}));
  v("envelope", c.envelope, "instance: labels include the cracks; closing: labels are solid and are closed and filled",
    one_of({"instance", "closing"}));
  v("roughness_sigma_um", c.roughness_sigma_um, "smoothing that defines RoughInner and RoughOuter, um", above(0));
  v("guard_um", c.guard_um, "particles nearer than this to a cut face get the flag guard, um", at_least(0));
  v("contact_distance_um", c.contact_distance_um, "Contact counts surface with another particle within this, um",
    above(0));
  v("packing_cube_um", c.packing_cube_um, "edge of the cube of PDensity, um", above(0));
  v("match_resolution", c.match_resolution,
    "electrodes of unequal voxel size: compare them at the coarser one (attributes_matched.csv)");
  v("neighbours", c.neighbours, "number of nearest particles of the neighbourhood attributes", between(2, 64));
  v("closing_radius_um", c.closing_radius_um, "radius of the closing of envelope: closing, um", above(0));
}

struct AttributeInputs {
  GridSource<std::uint32_t> labels;      ///< dense 1..n
  std::vector<std::uint64_t> label_ids;  ///< n, the user's ids
  GridSource<std::uint8_t> cracks;       ///< non-zero = crack, inside the labels
  std::optional<GridSource<float>> grey;
  std::optional<GridSource<std::uint8_t>> field_of_view;  ///< 1 = inside
  std::vector<std::string> physical_faces;                ///< z_low, ...: ends of the electrode, not cuts
  bool depth_from_high_end = false;                       ///< column Z = depth_length_um - z
  double depth_length_um = 0;
  bool two_dimensional = false;
  std::string damage_source;
  std::vector<double> damage_partial_volume;  ///< n, NaN where unknown
};

/// Numbers of the whole electrode, for summary.json.
struct ElectrodeSummary {
  double phase_fraction = 0;               ///< particles with their cracks over the field of view
  double specific_surface_um_1 = 0;        ///< particle to outside, per total volume
  double specific_surface_solid_um_1 = 0;  ///< the same per volume of particles
  std::int64_t particles = 0;
  std::int64_t particles_interior = 0;   ///< not touching a cut face
  double mean_equivalent_radius_um = 0;  ///< over interior particles, (3V / 4 pi)^(1/3)
  double mean_sphericity = 0;            ///< over interior particles, 36 pi V^2 / S^3
  double mean_sphericity_wadell = 0;     ///< its cube root, averaged
};

struct AttributeResult {
  Table paper;      ///< attributes.csv: label, the attributes, flags, extras
  Table leak_free;  ///< attributes_leakfree.csv
  ElectrodeSummary summary;
};

/// All attributes of all particles. Two streaming passes and one pass particle by particle; memory is bounded by
/// context.memory_bytes plus a few hundred bytes a particle. Same bits for any number of threads and block size.
/// Errors: data for inputs that do not fit together; no_memory where a particle's box needs more than half the memory.
AttributeResult compute_attributes(const AttributesConfig& config, const AttributeInputs& inputs,
                                   const Context& context);

/// The inputs at a coarser voxel: labels and cracks by volume fraction, grey values blurred and averaged.
/// Streams: nothing is computed before it is read.
AttributeInputs degraded(const AttributeInputs& inputs, const Vec3& voxel_size_um);

/// The same inputs, worked out once and kept in a file that has no name any more when this returns and goes with them.
/// For sources that are dear to read: particles overlap, and each is read several times. `scratch` must be free to be
/// replaced. Throws Error{cannot_create} or Error{write_error}.
AttributeInputs stored(const AttributeInputs& inputs, const std::filesystem::path& scratch, const Context& context);

/// Every analytic body of docs/attributes.md, rendered and measured.
std::vector<Verification> verify_attributes(const Context& context);

}  // namespace cathoscope
