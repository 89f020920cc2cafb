#pragma once
/// The star-convex U-Net: what it is, its weights in a file, and what it says of an image.
/// After Schmidt et al. 2018 (DOI 10.1007/978-3-030-00934-2_30), with a foreground head of our own; see docs/network.md.

#include <cathoscope/core/star_fields.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cathoscope {

/// The layers of a network. Input: one channel. Output, on a grid of every `grid`-th pixel: probability logit, distances
/// to the outline along the rays, and a foreground logit where it has that head.
struct NetworkShape {
  int grid = 2;          ///< 1, 2, 4, 8: output cell (i, j) is pixel (grid i, grid j)
  int depth = 3;         ///< poolings of the U-Net proper
  int base = 16;         ///< channels of its first level; doubled at each further level
  int convolutions = 2;  ///< of 3 x 3 at each level
  int features = 64;     ///< channels before the heads; 0 = heads straight on the U-Net
  int rays = star_rays;
  bool foreground = true;

  bool operator==(const NetworkShape&) const = default;
};

/// Shape of `paper` (as the authors' public configuration), `default` (half its channels) or `ci` (a quarter).
/// Throws Error{config} for another name.
NetworkShape network_shape(const std::string& profile);

/// Weights and biases, without the foreground head if `shape` has none.
std::int64_t parameter_count(const NetworkShape& shape);
/// Pixels: a pixel farther away than this cannot change an output cell. Rounded up to 16 it is the overlap of tiles.
int receptive_radius(const NetworkShape& shape);

/// Cut-offs that were calibrated on validation images.
struct NetworkThresholds {
  double probability = 0.5;  ///< a cell below it proposes no particle
  double suppression = 0.4;  ///< of two outlines whose overlap (over the smaller) is above it, the less probable goes
  double foreground = 0.5;   ///< a cell above it is particle; meaningless without the head
};

/// What a weights file says of itself.
struct NetworkMetadata {
  std::string origin;   ///< cathoscope, or stardist
  std::string profile;  ///< paper, default, ci; or the folder's name for a StarDist model
  NetworkShape shape{};
  NetworkThresholds thresholds{};
  std::vector<std::pair<std::string, double>> scores{};  ///< reached at the end of the training, by name
  std::string training{};                                ///< the configuration that made the weights, YAML
  double training_seconds = 0;
  std::string training_key{};  ///< of the request that made the weights: an equal one finds them made
  std::string sha256{};        ///< of names, shapes and values of the weights: part of the key of what they computed
};

/// A trained network. A cheap handle; copies share the weights, which never change.
class Network {
 public:
  struct Weights;  ///< private to the implementation
  Network(NetworkMetadata metadata, std::shared_ptr<const Weights> weights);

  [[nodiscard]] const NetworkMetadata& metadata() const { return metadata_; }
  [[nodiscard]] bool has_foreground() const { return metadata_.shape.foreground; }
  [[nodiscard]] const Weights& weights() const { return *weights_; }
  [[nodiscard]] std::shared_ptr<const Weights> shared_weights() const { return weights_; }

 private:
  NetworkMetadata metadata_;
  std::shared_ptr<const Weights> weights_;
};

/// The same weights with something else said of them.
Network with_metadata(const Network& network, NetworkMetadata metadata);

/// A network with Kaiming-normal weights drawn from `seed` (zero biases, small heads).
Network random_network(const std::string& profile, const NetworkShape& shape, std::uint64_t seed);

/// Reads a weights file of the project, or a StarDist 2-D model folder (config.json, thresholds.json, weights_best.h5 or
/// another weights_*.h5). Everything is checked before memory is taken. Throws Error{no_input} where the file is absent,
/// Error{data} where it is damaged (not HDF5, wrong checksum, NaN), Error{version} where it is of another version or its
/// tensors do not fit its shape, Error{unavailable} where a StarDist model uses what this program does not compute.
Network load_network(const std::filesystem::path& path);

/// Writes the weights as HDF5: the same bytes for the same network. Throws Error{cannot_create}, Error{write_error}.
void save_network(const Network& network, const std::filesystem::path& path);

/// The type that convolutions multiply in.
enum class Precision { float32, bfloat16, float16 };
std::string name_of(Precision precision);

/// A device and its precision, decided before anything runs, so that both can go into a stage's key.
struct ComputeDevice {
  std::string name = "cpu";  ///< cpu, cuda:0, ...
  Precision precision = Precision::float32;
  [[nodiscard]] std::string text() const { return name + " " + name_of(precision); }
};

/// Of the CPU, by its flags and never by a timing: bfloat16 where it multiplies that (amx_bf16 or avx512_bf16), else float32.
Precision cpu_precision();
/// `auto` (a CUDA device where there is one, else the CPU), `cpu`, `cuda` or `cuda:i`. Throws Error{unavailable} where
/// that device does not exist or libtorch was built without it.
ComputeDevice resolve_device(const std::string& request);

struct PredictionSettings {
  ComputeDevice device;
  int concurrency = 1;                                        ///< calls that will come at once; only a hint
  std::function<void(const std::string& message)> warn = {};  ///< told where memory forced smaller tiles
};

/// A function that predicts one image, to be called from many threads at once: each call computes on its own thread
/// only. Images of any size >= 1 x 1; beyond 2048 pixels a side they are predicted in overlapping tiles, whose grid
/// depends on the image's size only (differences to the whole: below 1e-5 in float32). The same bits for any number of
/// threads. Where a device runs out of memory: fewer images at once, smaller tiles, and in the end Error{no_memory};
/// the caller then starts its stage anew on the CPU, under the CPU's key.
StarPredictor predictor(const Network& network, const PredictionSettings& settings);

}  // namespace cathoscope
