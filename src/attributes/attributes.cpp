#include <cathoscope/attributes/attributes.hpp>

#include "envelope.hpp"
#include "grey_levels.hpp"
#include "particle_pass.hpp"
#include "particle_rows.hpp"

#include <cathoscope/attributes/attribute_ranks.hpp>
#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace cathoscope {

using namespace attributes;

namespace {

void check_shape(const Index3& shape, const Index3& expected, const char* what) {
  if (shape != expected)
    fail(Exit::data, "{} has {} x {} x {} voxels (z, y, x), the labels have {} x {} x {}: they must be the same grid",
         what, shape[0], shape[1], shape[2], expected[0], expected[1], expected[2]);
}

void check_inputs(const AttributeInputs& in) {
  const Index3& shape = in.labels.shape;
  if (!in.labels.read || std::any_of(shape.begin(), shape.end(), [](std::int64_t n) { return n < 1; }))
    fail(Exit::data, "the label volume is empty");
  if (in.two_dimensional && shape[0] != 1)
    fail(Exit::data, "a two-dimensional label image has {} planes instead of one", shape[0]);
  for (const double h : in.labels.voxel_size_um)
    if (!(h > 0) || !std::isfinite(h))
      fail(Exit::data, "the voxel size of the labels is {} um: it must be positive", h);
  if (in.label_ids.size() >= (std::uint64_t{1} << 31) - 1)
    fail(Exit::data, "{} particles are more than this program can number", in.label_ids.size());
  if (in.cracks.read) check_shape(in.cracks.shape, shape, "the crack mask");
  if (in.grey) check_shape(in.grey->shape, shape, "the grey volume");
  if (in.field_of_view) check_shape(in.field_of_view->shape, shape, "the field of view");
}

/// Surface areas of every label that occurs, from the interface matrix. Exact sums of the same integer counts.
void set_areas(const PassOne& streamed, std::vector<ParticleRow>& rows) {
  std::vector<std::int64_t> solid_touch(streamed.particles.size(), 0), crack_touch(streamed.particles.size(), 0);
  for (const Contact& c : streamed.contacts) {
    solid_touch[c.first - 1] += c.area[0][0] + c.area[0][1];
    crack_touch[c.first - 1] += c.area[1][0] + c.area[1][1];
    solid_touch[c.second - 1] += c.area[0][0] + c.area[1][0];
    crack_touch[c.second - 1] += c.area[0][1] + c.area[1][1];
  }
  const auto um2 = [&](std::int64_t units) { return static_cast<double>(units) * streamed.weights.unit; };
  for (ParticleRow& row : rows) {
    const OwnAreas& a = row.sums.areas;
    const std::int64_t solid = a.solid_matrix + a.solid_face + solid_touch[row.index];
    const std::int64_t crack = a.crack_matrix + a.crack_face + crack_touch[row.index];
    row.surf_inner = um2(a.inner);
    row.surf_outer = um2(solid + crack);
    row.surf_total = um2(a.inner + solid);
    row.mouth = um2(crack);
    row.touching = um2(solid_touch[row.index] + crack_touch[row.index]);
  }
}

bool touches_cut(const ParticleSums& s, const Index3& shape, const Faces& physical, bool two_dimensional) {
  if (s.meets_unseen) return true;
  const Box b = s.box();
  for (std::size_t axis = two_dimensional ? 1 : 0; axis < 3; ++axis)
    if ((b.begin[axis] == 0 && !physical[axis][0]) || (b.end[axis] == shape[axis] && !physical[axis][1])) return true;
  return false;
}

std::vector<ParticleRow> rows_of(const AttributeInputs& inputs, const PassOne& streamed, const Context& context) {
  std::vector<ParticleRow> rows;
  const Faces physical = physical_faces(inputs);
  for (std::size_t i = 0; i < streamed.particles.size(); ++i) {
    if (streamed.particles[i].voxels == 0) continue;
    ParticleRow row;
    row.index = i;
    row.sums = streamed.particles[i];
    row.shape = shape_of(row.sums, inputs.labels.voxel_size_um, inputs.two_dimensional);
    row.touches_border = touches_cut(row.sums, inputs.labels.shape, physical, inputs.two_dimensional);
    rows.push_back(row);
  }
  if (rows.size() < streamed.particles.size())
    context.progress.warn(fmt::format("{} of {} particles have no voxel at this resolution and no row in the table",
                                      streamed.particles.size() - rows.size(), streamed.particles.size()));
  set_areas(streamed, rows);
  return rows;
}

void set_border_distances(const AttributeInputs& inputs, const PassOne& streamed, std::vector<ParticleRow>& rows) {
  const Vec3& h = inputs.labels.voxel_size_um;
  const auto um = [&](const Vec3& v) { return Vec3{v[0] * h[0], v[1] * h[1], v[2] * h[2]}; };
  std::vector<Vec3> points, rim;
  for (const ParticleRow& row : rows) points.push_back(um(row.shape.centroid_voxels));
  for (const Vec3& p : streamed.edge_points) rim.push_back(um(p));
  const Index3& s = inputs.labels.shape;
  const Vec3 extent = um({static_cast<double>(s[0]), static_cast<double>(s[1]), static_cast<double>(s[2])});
  const auto distances = border_distances(points, extent, physical_faces(inputs), inputs.two_dimensional, rim);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].border_distance = distances[i];
}

void set_packing(const AttributesConfig& config, const AttributeInputs& inputs, const Context& context,
                 std::vector<ParticleRow>& rows) {
  if (inputs.two_dimensional || rows.empty()) return;
  std::vector<Vec3> centroids;
  for (const ParticleRow& row : rows) centroids.push_back(row.shape.centroid_voxels);
  const auto fillings = cube_fillings(inputs, centroids, {config.packing_cube_um, 100.0}, context);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].packing = fillings[0][i];
    rows[i].packing_100 = fillings[1][i];
  }
}

double median_edge_blur(const std::vector<ParticleRow>& rows) {
  std::vector<double> blurs;
  for (const ParticleRow& row : rows)
    if (std::isfinite(row.details.edge_blur_um)) blurs.push_back(row.details.edge_blur_um);
  if (blurs.empty()) return missing;
  std::sort(blurs.begin(), blurs.end());
  return blurs[blurs.size() / 2];
}

void warn_of_narrow_smoothing(const AttributesConfig& config, const AttributeInputs& inputs, const Context& context) {
  const Vec3& h = inputs.labels.voxel_size_um;
  if (inputs.two_dimensional || smoothing_acts(h, config.roughness_sigma_um)) return;
  const std::string voxel = text_of(std::max({h[0], h[1], h[2]}));
  context.progress.warn(fmt::format(
      "attributes.roughness_sigma_um is {} um, less than half the voxel of {} um: smoothing that narrow changes "
      "nothing, so RoughOuter and RoughInner stay empty. Set attributes.roughness_sigma_um to {} "
      "or more, and above the column EdgeBlur",
      text_of(config.roughness_sigma_um), voxel, voxel));
}

AttributeInputs with_envelopes(const AttributesConfig& config, const AttributeInputs& inputs, const Context& context) {
  if (config.envelope != "closing") return inputs;
  const PassOne boxes = stream_volume(inputs, context, {.interfaces = false, .grey = false});
  std::vector<Box> found(boxes.particles.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    if (boxes.particles[i].voxels > 0) found[i] = boxes.particles[i].box();
  return closed_envelopes(inputs, found, config.closing_radius_um, context);
}

double mean_over_interior(const std::vector<ParticleRow>& rows, double (*value)(const ParticleRow&)) {
  double sum = 0;
  std::int64_t n = 0;
  for (const ParticleRow& row : rows)
    if (!row.touches_border && std::isfinite(value(row))) {
      sum += value(row);
      ++n;
    }
  return n > 0 ? sum / static_cast<double>(n) : missing;
}

double radius_in_space(const ParticleRow& row) { return std::cbrt(3 * row.volume() / (4 * std::acos(-1.0))); }
double radius_in_plane(const ParticleRow& row) { return std::sqrt(row.volume() / std::acos(-1.0)); }

ElectrodeSummary summary_of(const AttributeInputs& inputs, const PassOne& streamed,
                            const std::vector<ParticleRow>& rows) {
  const Vec3& h = inputs.labels.voxel_size_um;
  std::int64_t voxels = 0, area = 0;
  ElectrodeSummary s;
  for (const ParticleRow& row : rows) {
    voxels += row.sums.voxels;
    area += row.sums.areas.solid_matrix + row.sums.areas.crack_matrix;
    s.particles_interior += row.touches_border ? 0 : 1;
  }
  const double voxel = h[0] * h[1] * h[2];
  const double surface = static_cast<double>(area) * streamed.weights.unit;
  const double seen = static_cast<double>(streamed.seen_voxels), filled = static_cast<double>(voxels);
  s.particles = static_cast<std::int64_t>(rows.size());
  s.phase_fraction = seen > 0 ? filled / seen : missing;
  const bool plane = inputs.two_dimensional;
  s.specific_surface_um_1 = plane || seen == 0 ? missing : surface / (seen * voxel);
  s.specific_surface_solid_um_1 = plane || voxels == 0 ? missing : surface / (filled * voxel);
  s.mean_equivalent_radius_um = mean_over_interior(rows, plane ? radius_in_plane : radius_in_space);
  if (plane) {
    s.mean_sphericity = s.mean_sphericity_wadell = missing;
    return s;
  }
  s.mean_sphericity = mean_over_interior(rows, [](const ParticleRow& r) { return r.sphericity_leak_free(); });
  s.mean_sphericity_wadell =
      mean_over_interior(rows, [](const ParticleRow& r) { return std::cbrt(r.sphericity_leak_free()); });
  return s;
}

/// In a plane, volumes are areas.
void flatten(const Vec3& h, std::vector<ParticleRow>& rows) {
  for (ParticleRow& row : rows) row.shape.volume_um3 = static_cast<double>(row.sums.voxels) * h[1] * h[2];
}

}  // namespace

AttributeResult compute_attributes(const AttributesConfig& config, const AttributeInputs& given,
                                   const Context& context) {
  check_inputs(given);
  AttributeInputs inputs;
  on_all(context.ranks, "envelopes", {}, [&] { inputs = with_envelopes(config, given, context); });
  const PassOne streamed = stream_volume(inputs, context);
  Measured measured;
  measured.levels = grey_levels(streamed.samples, inputs.labels.shape, inputs.damage_source == "phases");
  measured.rows = rows_of(inputs, streamed, context);
  if (!measured.rows.empty()) warn_of_narrow_smoothing(config, inputs, context);
  if (inputs.two_dimensional) flatten(inputs.labels.voxel_size_um, measured.rows);
  const std::vector<ParticleDetails> details = measure_particles(config, inputs, streamed, measured.levels, context);
  for (ParticleRow& row : measured.rows) row.details = details[row.index];
  measured.median_edge_blur_um = median_edge_blur(measured.rows);
  set_border_distances(inputs, streamed, measured.rows);
  set_packing(config, inputs, context, measured.rows);
  measure_surroundings(config, inputs, context.threads, measured.rows);
  AttributeResult result = tables_of(config, inputs, measured);
  result.summary = summary_of(inputs, streamed, measured.rows);
  return result;
}

RankTasks attribute_tasks(std::int64_t rank, const AttributesConfig& config,
                          const std::function<AttributeInputs(const std::string& electrode)>& open,
                          const Context& context) {
  const auto inputs = std::make_shared<AttributeInputs>();
  RankTasks tasks = attributes::particle_tasks(
      rank, config, [inputs]() -> const AttributeInputs& { return *inputs; }, context);
  tasks["electrode"] = [=](const std::string& request) {
    *inputs = open(request);
    check_inputs(*inputs);
    return std::string();
  };
  tasks["envelopes"] = [=, &config, &context](const std::string&) {
    *inputs = with_envelopes(config, *inputs, context);
    return std::string();
  };
  return tasks;
}

}  // namespace cathoscope
