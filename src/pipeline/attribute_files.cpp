#include "attribute_files.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/io/h5.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>

namespace cathoscope {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::vector<std::string> attribute_file_names(bool matched) {
  std::vector<std::string> names{"attributes.h5", "attributes.csv", "attributes_leakfree.csv", "summary.json"};
  if (matched) {
    names.emplace_back("attributes_matched.csv");
    names.emplace_back("attributes_matched_leakfree.csv");
  }
  return names;
}

namespace {

void write_table(H5File& file, const std::string& group, const Table& table) {
  for (const Column& c : table.columns) {
    const std::string name = group + "/" + c.name;
    if (!c.texts.empty()) file.write_texts(name, c.texts);
    else if (!c.ids.empty()) file.write_array(name, c.ids);
    else file.write_array(name, c.numbers);
    file.set_attribute(name, "unit", c.unit);
    file.set_attribute(name, "description", c.description);
  }
}

/// JSON has no NaN: null says "undefined".
Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }

std::string summary_json(const ElectrodeSummary& s, const std::string& synthetic) {
  Json j;
  j["synthetic"] = synthetic.empty() ? Json(false) : Json(synthetic);
  j["phase_fraction"] = number(s.phase_fraction);
  j["specific_surface_um_1"] = number(s.specific_surface_um_1);
  j["specific_surface_solid_um_1"] = number(s.specific_surface_solid_um_1);
  j["particles"] = s.particles;
  j["particles_interior"] = s.particles_interior;
  j["mean_equivalent_radius_um"] = number(s.mean_equivalent_radius_um);
  j["mean_sphericity"] = number(s.mean_sphericity);
  j["mean_sphericity_wadell"] = number(s.mean_sphericity_wadell);
  return j.dump(2) + "\n";
}

void write_partial(const fs::path& path, const std::string& text) {
  const auto partial = partial_name(path);
  std::ofstream out(partial, std::ios::binary);
  if (!out) fail(Exit::cannot_create, "{} cannot be created", partial.string());
  out << text;
  out.close();
  if (!out) fail(Exit::write_error, "{}: cannot write {} bytes (is the disk full?)", partial.string(), text.size());
}

}  // namespace

void write_attribute_files(const fs::path& folder, const AttributeResult& result, const std::string& synthetic) {
  auto file = H5File::create(partial_name(folder / "attributes.h5"));
  if (!synthetic.empty()) file.set_attribute("/", "synthetic", synthetic);
  write_table(file, "", result.paper);
  write_table(file, "/leak_free", result.leak_free);
  file.close();
  write_partial(folder / "attributes.csv", csv_text(result.paper));
  write_partial(folder / "attributes_leakfree.csv", csv_text(result.leak_free));
  write_partial(folder / "summary.json", summary_json(result.summary, synthetic));
}

void write_matched_files(const fs::path& folder, const AttributeResult& result) {
  write_partial(folder / "attributes_matched.csv", csv_text(result.paper));
  write_partial(folder / "attributes_matched_leakfree.csv", csv_text(result.leak_free));
}

std::string units_json() {
  Json j;
  for (const auto& a : attribute_list) j[std::string(a.name)] = {{"unit", a.unit}, {"meaning", a.description}};
  return j.dump(2) + "\n";
}

}  // namespace cathoscope
