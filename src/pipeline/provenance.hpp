#pragma once
/// How a run came about, for readers (provenance.json) and for archives (ro-crate-metadata.json).

#include <cathoscope/pipeline/pipeline.hpp>
#include <cathoscope/pipeline/run.hpp>

#include <string>
#include <vector>

namespace cathoscope {

/// What of provenance.json is no stage's: name, seed, versions, and the device and precision that the network computed
/// with, "none" where no stage asked it.
std::string provenance_of(const Config& config, const Run& run);

/// `ro-crate-metadata.json` in the run folder: RO-Crate 1.1 (https://w3id.org/ro/crate/1.1), which lists every file with
/// its hash, the inputs, the program, and what was done. It is there only while the last run of the folder finished:
/// the constructor removes it, write() makes it anew.
class RunCrate {
 public:
  explicit RunCrate(const Run& run);
  /// Call once everything else is written.
  void write(const Config& config, const std::vector<ElectrodeInputs>& inputs, const Run& run) const;

 private:
  std::string start_;  ///< UTC
};

}  // namespace cathoscope
