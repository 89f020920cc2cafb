#pragma once
/// The files of a synthetic electrode.

#include <cathoscope/core/progress.hpp>
#include <cathoscope/io/volume_file.hpp>
#include <cathoscope/phantom/phantom.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace cathoscope {

/// What is wanted of a phantom besides its configuration.
struct PhantomOrder {
  PhantomConfig config;
  std::uint64_t seed = 1;
  bool tiff = false;                    ///< TIFF stacks instead of HDF5
  ValueType type = ValueType::uint8;    ///< of the grey values: uint8, uint16 or float32
  std::optional<double> voxel_size_um;  ///< rendered at; empty = the configuration's
  std::optional<VolumeFile> labels;     ///< bodies to render instead of generated ones
  Vec3 labels_voxel_um{1, 1, 1};
};

/// Writes volume, labels, cracks and crack_fraction (.h5 or .tif), attributes.csv (columns of a run, from the noise-free
/// masks and the grey values as written), particles.csv (what is true by construction), truth.yaml and electrode.yaml
/// into `folder`, which must be new or empty. Throws Error{cannot_create} otherwise. Same bytes for any number of threads.
void write_phantom(const PhantomOrder& order, const std::filesystem::path& folder, const Context& context);

/// Only a table: attributes.csv with `rows` rows and truth.yaml.
void write_phantom_table(const PhantomConfig& config, std::uint64_t seed, std::int64_t rows,
                         const std::filesystem::path& folder, const Context& context);

}  // namespace cathoscope
