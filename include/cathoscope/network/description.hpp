#pragma once
/// What is in a weights file, for people and for scripts.

#include <cathoscope/network/network.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

/// A convolution of a network, in the order of computation; the last ones are the heads.
struct NetworkLayer {
  std::string name;
  std::int64_t in = 0, out = 0;  ///< channels
  std::int64_t kernel = 3;       ///< pixels a side
};
std::vector<NetworkLayer> network_layers(const NetworkShape& shape);

/// Whether load_network is the function for it: a weights file of this program, or a folder with a StarDist model.
/// What is damaged inside is told by load_network.
bool is_network(const std::filesystem::path& path);

/// What to do where somebody names a part of a StarDist model, or the archive that it came in, and not its folder; nothing
/// where the file is no such thing.
std::optional<std::string> model_hint(const std::filesystem::path& path);

/// Origin, profile, sha256, shape, layers, cut-offs, scores, training: lines of text, or one JSON object.
std::string describe_network(const Network& network, const std::string& name);
std::string describe_network_json(const Network& network);

}  // namespace cathoscope
