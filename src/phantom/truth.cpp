/// What is true of a phantom, as a table and as YAML.

#include "drawn_config.hpp"

#include <cathoscope/core/text.hpp>
#include <cathoscope/phantom/phantom.hpp>

#include <fmt/core.h>

#include <cmath>
#include <limits>
#include <type_traits>

namespace cathoscope {

namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out.append("\"");
}

std::string yaml_value(bool v) { return v ? "true" : "false"; }
std::string yaml_value(double v) { return text_of(v); }
std::string yaml_value(std::int64_t v) { return fmt::format("{}", v); }
std::string yaml_value(const std::string& v) { return quoted(v); }
template <class T, std::size_t N>
std::string yaml_value(const std::array<T, N>& v) {
  std::string out = "[";
  for (std::size_t i = 0; i < N; ++i) out.append(i ? ", " : "").append(yaml_value(v[i]));
  return out.append("]");
}

/// Writes a struct with `fields` as a YAML block.
struct YamlWriter {
  std::string indent;
  std::string text;

  template <class T>
  void operator()(const char* key, T& value, const char*, const Rule& = {}) {
    if constexpr (requires { yaml_value(value); }) {
      text += fmt::format("{}{}: {}\n", indent, key, yaml_value(value));
    } else if constexpr (requires(YamlWriter& w, T& t) { fields(w, t); }) {
      YamlWriter inner{indent + "  ", {}};
      fields(inner, value);
      text += fmt::format("{}{}:\n{}", indent, key, inner.text);
    } else {
      list(key, value);
    }
  }

 private:
  template <class T>
  void list(const char* key, std::vector<T>& values) {
    text += fmt::format("{}{}:{}\n", indent, key, values.empty() ? " []" : "");
    for (T& value : values) {
      YamlWriter inner{indent + "    ", {}};
      fields(inner, value);
      inner.text[indent.size() + 2] = '-';
      text += inner.text;
    }
  }
};

std::string parameters_yaml(PhantomConfig config) {
  YamlWriter writer{"  ", {}};
  fields(writer, config);
  return "parameters:\n" + writer.text;
}

struct Counts {
  std::int64_t fragments = 0, severe = 0, voxels = 0;
  double damage = 0;
};

Counts counts_of(const Phantom& phantom) {
  Counts c;
  for (const Particle& p : phantom.particles) {
    c.fragments += p.fragment ? 1 : 0;
    c.severe += p.severe ? 1 : 0;
    if (p.body_voxels < 0) continue;
    c.voxels += p.body_voxels;
    c.damage += p.damage * static_cast<double>(p.body_voxels);
  }
  return c;
}

Column numbers(std::string name, std::string unit, std::string description, std::vector<double> values) {
  return {std::move(name), std::move(unit), std::move(description), std::move(values), {}, {}};
}

template <class F>
std::vector<double> each(const Phantom& phantom, F&& f) {
  std::vector<double> values;
  values.reserve(phantom.particles.size());
  for (const Particle& p : phantom.particles) values.push_back(static_cast<double>(f(p)));
  return values;
}

double or_missing(double value) { return value < 0 ? std::numeric_limits<double>::quiet_NaN() : value; }

}  // namespace

Table particle_table(const Phantom& phantom) {
  Table t;
  Column label;
  label.name = "label";
  for (std::size_t i = 0; i < phantom.particles.size(); ++i) label.ids.push_back(i + 1);
  t.columns.push_back(std::move(label));
  const auto column = [&](const char* name, const char* unit, const char* description, auto&& f) {
    t.columns.push_back(numbers(name, unit, description, each(phantom, f)));
  };
  column("centre_x", "um", "centre of the generating ellipsoid", [](const Particle& p) { return p.centre_um[2]; });
  column("centre_y", "um", "", [](const Particle& p) { return p.centre_um[1]; });
  column("centre_z", "um", "", [](const Particle& p) { return p.centre_um[0]; });
  column("diameter", "um", "of the ball of equal volume", [](const Particle& p) { return 2 * p.radius_um; });
  column("axis_1", "um", "semi-axes of the ellipsoid", [](const Particle& p) { return p.axes_um[0]; });
  column("axis_2", "um", "", [](const Particle& p) { return p.axes_um[1]; });
  column("axis_3", "um", "", [](const Particle& p) { return p.axes_um[2]; });
  column("grey", "grey value", "of its solid", [](const Particle& p) { return p.grey; });
  column("fragment", "", "1 = drawn as a fragment", [](const Particle& p) { return p.fragment ? 1 : 0; });
  column("severe", "", "1 = drawn as severely damaged", [](const Particle& p) { return p.severe ? 1 : 0; });
  column("body_voxels", "", "voxels of the body, cracks included",
         [](const Particle& p) { return or_missing(static_cast<double>(p.body_voxels)); });
  column("target_damage", "", "damage asked for", [](const Particle& p) { return or_missing(p.target_damage); });
  column("true_damage", "", "crack voxels over body voxels on the noise-free masks",
         [](const Particle& p) { return or_missing(p.damage); });
  return t;
}

std::string truth_yaml(const Phantom& phantom) {
  const Counts c = counts_of(phantom);
  const double slab =
      (phantom.electrode_high_um - phantom.electrode_low_um) * phantom.extent_um[1] * phantom.extent_um[2];
  const double h = phantom.config.voxel_size_um;
  std::string text =
      "# Synthetic electrode: nothing in it was measured. Values as drawn for this seed.\nsynthetic: true\n";
  text += fmt::format("generator: cathoscope phantom\nseed: {}\nsemi_real: {}\n", phantom.seed,
                      yaml_value(phantom.given_bodies.has_value()));
  text += fmt::format("extent_um: {}\nelectrode_depth_um: [{}, {}]\n", yaml_value(phantom.extent_um),
                      text_of(phantom.electrode_low_um), text_of(phantom.electrode_high_um));
  text += fmt::format("particles: {}\nfragments: {}\nseverely_damaged: {}\n", phantom.particles.size(), c.fragments,
                      c.severe);
  if (c.voxels > 0)
    text += fmt::format("volume_fraction: {}\ndamage: {}\n", text_of(static_cast<double>(c.voxels) * h * h * h / slab),
                        text_of(c.damage / static_cast<double>(c.voxels)));
  return text + parameters_yaml(phantom.config);
}

std::string table_truth_yaml(const PhantomConfig& config, std::uint64_t seed, std::int64_t rows) {
  return fmt::format(
             "# Synthetic table: nothing in it was measured. Values as drawn for this seed.\nsynthetic: true\n"
             "generator: cathoscope phantom\nseed: {}\nrows: {}\n",
             seed, rows) +
         parameters_yaml(phantom_detail::drawn_config(config, seed));
}

std::string electrode_yaml(const Phantom& phantom, const std::string& name, double voxel_size_um,
                           const PhantomFiles& files) {
  std::string text =
      fmt::format("# A synthetic electrode ({} particles, seed {}). Put this under `electrodes:` of a run.\n",
                  phantom.particles.size(), phantom.seed);
  text += fmt::format("- name: {}\n  volume: {{path: {}, voxel_size_um: {}}}\n", quoted(name), quoted(files.volume),
                      text_of(voxel_size_um));
  text += "  # The truth, to use in place of the segmentation:\n";
  text += fmt::format("  # labels: {}\n  # cracks: {}\n", quoted(files.labels), quoted(files.cracks));
  return text;
}

std::string run_yaml(const Phantom& phantom, const std::string& name, double voxel_size_um, const PhantomFiles& files) {
  std::string text = fmt::format(
      "# A study of a synthetic electrode ({} particles, seed {}): cathoscope run run.yaml\n"
      "name: {}\noutput: run\nelectrodes:\n",
      phantom.particles.size(), phantom.seed, quoted(name));
  text += fmt::format("  - name: {}\n    volume: {{path: {}, voxel_size_um: {}}}\n", quoted(name), quoted(files.volume),
                      text_of(voxel_size_um));
  text += "    # The truth. Without the next two lines the grey values are segmented:\n";
  return text + fmt::format("    labels: {}\n    cracks: {}\n", quoted(files.labels), quoted(files.cracks));
}

}  // namespace cathoscope
