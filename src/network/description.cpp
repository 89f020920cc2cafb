#include <cathoscope/network/description.hpp>

#include "shape.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/h5.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sstream>

namespace cathoscope {

namespace fs = std::filesystem;

std::string name_of(Precision precision) {
  switch (precision) {
    case Precision::bfloat16: return "bfloat16";
    case Precision::float16: return "float16";
    case Precision::float32: break;
  }
  return "float32";
}

std::vector<NetworkLayer> network_layers(const NetworkShape& shape) {
  std::vector<NetworkLayer> layers;
  for (const auto& l : layer_shapes(shape)) layers.push_back({l.name, l.in, l.out, l.kernel});
  return layers;
}

bool is_network(const fs::path& path) {
  if (fs::is_directory(path)) return fs::exists(path / "config.json");
  if (!fs::is_regular_file(path)) return false;
  try {
    return H5File::open(path).attribute_text("/", "format") == "cathoscope network";
  } catch (const Error&) {
    return false;  // not HDF5: a volume of some other format, or nothing that this program reads
  }
}

std::optional<std::string> model_hint(const fs::path& path) {
  if (!fs::is_regular_file(path)) return std::nullopt;
  if (path.extension() == ".zip")
    return fmt::format("{}: is an archive. A StarDist model? Unpack it and name the folder that holds config.json",
                       path.string());
  const fs::path folder = fs::absolute(path).parent_path();
  const std::string name = path.filename().string();
  if (!name.starts_with("weights") && name != "config.json" && name != "thresholds.json") return std::nullopt;
  if (is_network(path) || !is_network(folder)) return std::nullopt;
  return fmt::format("{}: is one file of a StarDist model. Name the folder: {}", path.string(), folder.string());
}

std::string describe_network(const Network& network, const std::string& name) {
  const auto& m = network.metadata();
  const auto& s = m.shape;
  std::string text = fmt::format("{}: network of {}, profile {}\n", name, m.origin, m.profile);
  text += fmt::format("  weights: {}, sha256 {}\n", parameter_count(s), m.sha256);
  text += fmt::format(
      "  shape: grid {}, {} poolings, {} channels at the first level, {} before the heads, {} rays, {}; a cell sees {} "
      "pixels around it\n",
      s.grid, s.depth, s.base, s.features, s.rays, s.foreground ? "foreground head" : "no foreground head",
      receptive_radius(s));
  text += fmt::format("  cut-offs: foreground {}, probability {}, suppression {}\n", text_of(m.thresholds.foreground),
                      text_of(m.thresholds.probability), text_of(m.thresholds.suppression));
  if (m.training_seconds > 0) text += fmt::format("  trained in: {}\n", duration_text(m.training_seconds));
  if (!m.scores.empty()) text += "  scores:\n";
  for (const auto& [score, value] : m.scores) text += fmt::format("    {}: {}\n", score, text_of(value));
  text += "  layers (channels in, out, pixels of the kernel):\n";
  for (const auto& l : network_layers(s))
    text += fmt::format("    {:<22} {:>4} {:>4}  {} x {}\n", l.name, l.in, l.out, l.kernel, l.kernel);
  if (!m.training.empty()) text += "  training:\n";
  std::istringstream lines(m.training);
  for (std::string line; std::getline(lines, line);) text += "    " + line + '\n';
  return text;
}

std::string describe_network_json(const Network& network) {
  const auto& m = network.metadata();
  const auto& s = m.shape;
  nlohmann::ordered_json j;
  j["kind"] = "network";
  j["origin"] = m.origin;
  j["profile"] = m.profile;
  j["sha256"] = m.sha256;
  j["weights"] = parameter_count(s);
  j["shape"] = {{"grid", s.grid},
                {"depth", s.depth},
                {"base", s.base},
                {"convolutions", s.convolutions},
                {"features", s.features},
                {"rays", s.rays},
                {"foreground", s.foreground}};
  j["receptive_radius_px"] = receptive_radius(s);
  j["thresholds"] = {{"foreground", m.thresholds.foreground},
                     {"probability", m.thresholds.probability},
                     {"suppression", m.thresholds.suppression}};
  j["scores"] = nlohmann::ordered_json::object();
  for (const auto& [score, value] : m.scores) j["scores"][score] = value;
  j["training_seconds"] = m.training_seconds;
  j["training"] = m.training;
  for (const auto& l : network_layers(s))
    j["layers"].push_back({{"name", l.name}, {"in", l.in}, {"out", l.out}, {"kernel", l.kernel}});
  return j.dump(2) + "\n";
}

}  // namespace cathoscope
