#pragma once
/// A study on several ranks (core/ranks.hpp): what they must have in common, and what those do that help rank 0.

#include <cathoscope/core/progress.hpp>
#include <cathoscope/core/ranks.hpp>
#include <cathoscope/pipeline/pipeline.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace cathoscope {

/// What must be the same on all ranks, so that it does not show in a result who computed what.
struct RankFacts {
  std::string program;    ///< version and state of the source tree
  std::string processor;  ///< instruction sets that the network's kernels choose by
  std::string study;      ///< canonical configuration without `runtime`, sizes of the inputs
};

RankFacts rank_facts(const Config& config, const std::vector<ElectrodeInputs>& inputs);
std::string packed(const RankFacts& facts);
RankFacts unpacked_facts(const std::string& bytes);

/// Throws Error{version} for another program, Error{config} for another configuration or other inputs, naming the first
/// line that differs, and Error{unavailable} for another kind of processor where a network is asked.
void require_agreement(const RankFacts& first, const RankFacts& other);

/// What run_study() and run_shard() on rank 0 ask of rank `rank` > 0; the arguments must outlive the tasks.
RankTasks study_tasks(std::int64_t rank, const Config& config, const std::vector<ElectrodeInputs>& inputs,
                      const Context& context);

}  // namespace cathoscope
