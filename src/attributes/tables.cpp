#include "particle_rows.hpp"

#include <cathoscope/core/error.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace cathoscope::attributes {

namespace {

using Value = std::function<double(const ParticleRow&)>;

double flag(bool b) { return b ? 1 : 0; }

/// 1 / std, and NaN where the values do not differ beyond the rounding of float32.
double homogeneity(double mean, double std) { return std > 1e-7 * std::abs(mean) && std > 0 ? 1 / std : missing; }

double grey_mean(const ParticleRow& r) { return r.sums.grey / static_cast<double>(r.sums.voxels); }

double grey_std(const ParticleRow& r) {
  const auto n = static_cast<double>(r.sums.voxels);
  if (n < 2) return missing;
  return std::sqrt(std::max(0.0, (r.sums.grey_squared - r.sums.grey * r.sums.grey / n) / (n - 1)));
}

/// Collects columns of one table.
class TableWriter {
 public:
  TableWriter(const std::vector<ParticleRow>& rows, Table& table) : rows_(rows), table_(table) {}

  void number(const std::string& name, const std::string& unit, const std::string& description, const Value& value) {
    Column c{name, unit, description, {}, {}, {}};
    c.numbers.reserve(rows_.size());
    for (const ParticleRow& row : rows_) c.numbers.push_back(value(row));
    table_.columns.push_back(std::move(c));
  }
  void ids(const std::string& name, const std::string& description, const std::vector<std::uint64_t>& by_index) {
    Column c{name, "", description, {}, {}, {}};
    for (const ParticleRow& row : rows_) c.ids.push_back(by_index[row.index]);
    table_.columns.push_back(std::move(c));
  }
  void text(const std::string& name, const std::string& description, const std::string& value) {
    table_.columns.push_back({name, "", description, {}, {}, std::vector<std::string>(rows_.size(), value)});
  }

 private:
  const std::vector<ParticleRow>& rows_;
  Table& table_;
};

/// Position of the centroid along an axis (0 = z) in the frame of the uncropped file.
double position(const AttributeInputs& in, const ParticleRow& r, std::size_t axis) {
  const double p = in.labels.origin_um[axis] + r.shape.centroid_voxels[axis] * in.labels.voxel_size_um[axis];
  return axis == 0 && in.depth_from_high_end ? in.depth_length_um - p : p;
}

using Values = std::map<std::string, Value>;

void add_position_values(const AttributeInputs& in, Values& v) {
  v["X"] = [&in](const ParticleRow& r) { return position(in, r, 2); };
  v["Y"] = [&in](const ParticleRow& r) { return position(in, r, 1); };
  v["Z"] = [&in](const ParticleRow& r) { return position(in, r, 0); };
  v["Yaw"] = [](const ParticleRow& r) { return angles_of(r.shape).yaw; };
  v["Pitch"] = [](const ParticleRow& r) { return angles_of(r.shape).pitch; };
  v["Roll"] = [](const ParticleRow& r) { return angles_of(r.shape).roll; };
}

void add_structure_values(Values& v) {
  v["SurfInner"] = [](const ParticleRow& r) { return r.surf_inner; };
  v["SurfOuter"] = [](const ParticleRow& r) { return r.surf_outer; };
  v["Volume"] = [](const ParticleRow& r) { return r.volume(); };
  v["Damage"] = [](const ParticleRow& r) { return r.damage(); };
  v["Elongation"] = [](const ParticleRow& r) { return r.shape.elongation(); };
  v["RoughInner"] = [](const ParticleRow& r) { return r.details.rough_inner; };
  v["RoughOuter"] = [](const ParticleRow& r) { return r.details.rough_outer; };
}

void add_neighbourhood_values(Values& v) {
  v["Contact"] = [](const ParticleRow& r) { return r.details.contact; };
  v["PDensity"] = [](const ParticleRow& r) { return r.packing.density(); };
  v["DistNearest"] = [](const ParticleRow& r) { return r.near.distance; };
  v["ElongStd"] = [](const ParticleRow& r) { return r.near.elongation_std; };
  v["VolumeStd"] = [](const ParticleRow& r) { return r.near.volume_std; };
  v["OrienIso"] = [](const ParticleRow& r) { return r.near.alignment; };
}

/// The five attributes that the profiles define differently.
void add_profile_values(bool leak_free, bool grey, Values& v) {
  const auto none = [](const ParticleRow&) { return missing; };
  v["EDensity"] = v["Homogeneity"] = none;
  if (grey && leak_free) {
    v["EDensity"] = [](const ParticleRow& r) { return r.details.eroded_mean; };
    v["Homogeneity"] = [](const ParticleRow& r) { return homogeneity(r.details.eroded_mean, r.details.eroded_std); };
  } else if (grey) {
    v["EDensity"] = grey_mean;
    v["Homogeneity"] = [](const ParticleRow& r) { return homogeneity(grey_mean(r), grey_std(r)); };
  }
  if (leak_free) {
    v["Sphericity"] = [](const ParticleRow& r) { return r.sphericity_leak_free(); };
    v["VSratio"] = [](const ParticleRow& r) { return r.vs_ratio_leak_free(); };
    v["SphericityStd"] = [](const ParticleRow& r) { return r.near.sphericity_std_leak_free; };
  } else {
    v["Sphericity"] = [](const ParticleRow& r) { return r.sphericity(); };
    v["VSratio"] = [](const ParticleRow& r) { return r.vs_ratio(); };
    v["SphericityStd"] = [](const ParticleRow& r) { return r.near.sphericity_std; };
  }
}

/// What has no meaning in an image is empty there: everything but these.
void clear_in_plane(Values& v) {
  constexpr std::array<std::string_view, 10> kept{"X",      "Y",          "Yaw",         "EDensity", "Homogeneity",
                                                  "Damage", "Elongation", "DistNearest", "ElongStd", "OrienIso"};
  for (auto& [name, value] : v)
    if (std::find(kept.begin(), kept.end(), name) == kept.end()) value = [](const ParticleRow&) { return missing; };
}

/// attribute_list and the values here must name the same.
void check_names(const Values& values) {
  for (const AttributeInfo& info : attribute_list)
    if (!values.contains(std::string(info.name)))
      fail(Exit::internal, "{} is in attribute_list, and src/attributes/tables.cpp has no value for it", info.name);
  for (const auto& [name, value] : values)
    if (attribute_index(name) == attribute_list.size())
      fail(Exit::internal, "{} has a value in src/attributes/tables.cpp, and attribute_list has no line for it", name);
}

void write_flags(const AttributesConfig& config, TableWriter& w) {
  w.number("n_voxels", "", "voxels of the particle with its cracks",
           [](const ParticleRow& r) { return static_cast<double>(r.sums.voxels); });
  w.number("n_components", "", "pieces it consists of (26 neighbours)",
           [](const ParticleRow& r) { return r.details.components; });
  w.number("touches_border", "", "1: cut by the border of the field of view; physical faces are no border",
           [](const ParticleRow& r) { return flag(r.touches_border); });
  w.number("guard", "", "1: centroid nearer to that border than guard_um",
           [g = config.guard_um](const ParticleRow& r) { return flag(r.border_distance < g); });
  w.number("knn_censored", "",
           "1: the last of its nearest particles is farther away than that border, or there are too few",
           [](const ParticleRow& r) { return flag(!(r.near.last_distance <= r.border_distance)); });
  w.number("axis_defined", "", "1: the longest axis is at least 2 % longer than the second",
           [](const ParticleRow& r) { return flag(r.shape.long_axis_defined); });
}

Value calibrated_density(const AttributeInputs& in, const std::optional<GreyLevels>& levels) {
  if (!in.grey || !levels || levels->phases) return [](const ParticleRow&) { return missing; };
  return [l = *levels](const ParticleRow& r) {
    return (r.details.eroded_mean - l.drift.at(r.shape.centroid_voxels) - l.void_level) / (l.solid - l.void_level);
  };
}

void write_contract_extras(const AttributeInputs& in, const Measured& m, bool leak_free, TableWriter& w) {
  const bool plane = in.two_dimensional;
  w.number("DamagePartialVolume", "",
           "crack volume over particle volume from grey values, partial voxels counted in part",
           [&in](const ParticleRow& r) {
             return r.index < in.damage_partial_volume.size() ? in.damage_partial_volume[r.index] : missing;
           });
  w.text("damage_source", "where the crack voxels come from", in.damage_source);
  w.number("SphericityWadell", "", "cube root of Sphericity (Wadell)", [leak_free, plane](const ParticleRow& r) {
    return plane ? missing : std::cbrt(leak_free ? r.sphericity_leak_free() : r.sphericity());
  });
  w.number("PDensity100", "", "PDensity in a cube of 100 um",
           [](const ParticleRow& r) { return r.packing_100.density(); });
  w.number("EDensityCalibrated", "",
           "grey level of the solid, drift removed, 0 = void and 1 = the electrode's solid mode",
           calibrated_density(in, m.levels));
  w.number("BinderContact", "", "share of the outer surface that faces carbon and binder",
           [](const ParticleRow& r) { return r.details.binder_contact; });
}

void write_axis_extras(TableWriter& w) {
  w.number("u1x", "", "long axis, x", [](const ParticleRow& r) { return r.shape.axes[0][0]; });
  w.number("u1y", "", "long axis, y", [](const ParticleRow& r) { return r.shape.axes[0][1]; });
  w.number("u1z", "", "long axis, z", [](const ParticleRow& r) { return r.shape.axes[0][2]; });
  w.number("axis3_defined", "", "1: the second axis is at least 2 % longer than the third: Roll has a meaning",
           [](const ParticleRow& r) { return flag(r.shape.short_axis_defined); });
  w.number("OrienMax", "", "largest eigenvalue of the order tensor of the nearest particles (biased for six)",
           [](const ParticleRow& r) { return r.near.alignment_max; });
}

void write_surface_extras(const AttributesConfig& config, const AttributeInputs& in, const Measured& m,
                          TableWriter& w) {
  const bool plane = in.two_dimensional;
  const auto solid_only = [plane](double ParticleRow::*member) {
    return [plane, member](const ParticleRow& r) { return plane ? missing : r.*member; };
  };
  w.number("MouthArea", "um^2", "area where cracks meet the outside", solid_only(&ParticleRow::mouth));
  w.number("SurfTotal", "um^2", "surface of the solid, outer and inner", solid_only(&ParticleRow::surf_total));
  w.number("ContactTouch", "", "share of the outer surface that touches another particle",
           [plane](const ParticleRow& r) { return plane || r.surf_outer <= 0 ? missing : r.touching / r.surf_outer; });
  w.number("OpenCrackShare", "", "share of the crack volume that is connected to the outside",
           [](const ParticleRow& r) { return r.details.open_crack_share; });
  const double limit = config.envelope == "closing" ? 2 * config.closing_radius_um : missing;
  w.number("CrackWidthLimit", "um",
           "open cracks wider than this are lost by the closing; empty where there is no such limit",
           [limit](const ParticleRow&) { return limit; });
  w.number("RoughOuterLegacy", "", "outer surface after a 3 x 3 x 3 median over the same before (a smoothness)",
           [](const ParticleRow& r) { return r.details.rough_outer_legacy; });
  w.number("rough_from_grey", "", "1: the outer surface was taken from grey values, 0: from the mask",
           [](const ParticleRow& r) { return flag(r.details.rough_from_grey); });
  const Vec3& h = in.labels.voxel_size_um;
  const double finest = std::max({h[0], h[1], h[2], std::isnan(m.median_edge_blur_um) ? 0 : m.median_edge_blur_um});
  w.number("rough_resolved", "", "1: the smoothing of RoughOuter is wider than the voxel and than the blur",
           [ok = config.roughness_sigma_um >= finest](const ParticleRow&) { return flag(ok); });
  w.number("EdgeBlur", "um", "standard deviation of the blur of the particle's edge",
           [](const ParticleRow& r) { return r.details.edge_blur_um; });
}

void write_distance_extras(const AttributeInputs& in, TableWriter& w) {
  const bool plane = in.two_dimensional;
  w.number("VolumeCV", "", "VolumeStd over the mean volume of the same particles",
           [plane](const ParticleRow& r) { return plane ? missing : r.near.volume_cv; });
  w.number("cube_inside", "", "share of the cube of PDensity that is in the field of view",
           [plane](const ParticleRow& r) { return plane ? missing : r.packing.inside; });
  w.number("knn_distance", "um", "distance to the last of the nearest particles",
           [](const ParticleRow& r) { return r.near.last_distance; });
  w.number("border_distance", "um", "distance of the centroid to the border of the field of view",
           [](const ParticleRow& r) { return std::isfinite(r.border_distance) ? r.border_distance : missing; });
  if (!plane) return;
  w.number("area_um2", "um^2", "area with cracks", [](const ParticleRow& r) { return r.volume(); });
  w.number("perimeter_um", "um", "length of the outer boundary (Crofton, 4 directions)",
           [](const ParticleRow& r) { return r.surf_outer; });
}

Table table_of(const AttributesConfig& config, const AttributeInputs& in, const Measured& m, bool leak_free) {
  Values values;
  add_position_values(in, values);
  add_structure_values(values);
  add_neighbourhood_values(values);
  add_profile_values(leak_free, in.grey.has_value(), values);
  check_names(values);
  if (in.two_dimensional) clear_in_plane(values);
  Table table;
  TableWriter w(m.rows, table);
  w.ids("label", "id of the particle in the label volume", in.label_ids);
  for (const AttributeInfo& info : attribute_list) {
    if (leak_free && contains_cracks(info.name)) continue;
    w.number(std::string(info.name), std::string(info.unit), std::string(info.description),
             values.at(std::string(info.name)));
  }
  write_flags(config, w);
  write_contract_extras(in, m, leak_free, w);
  write_axis_extras(w);
  write_surface_extras(config, in, m, w);
  write_distance_extras(in, w);
  return table;
}

}  // namespace

AttributeResult tables_of(const AttributesConfig& config, const AttributeInputs& inputs, const Measured& measured) {
  AttributeResult result;
  result.paper = table_of(config, inputs, measured, false);
  result.leak_free = table_of(config, inputs, measured, true);
  return result;
}

}  // namespace cathoscope::attributes
