#pragma once
/// Several ranks in one process, asked one after the other.

#include <cathoscope/core/ranks.hpp>

#include <memory>
#include <string>
#include <vector>

namespace test {

/// Rank 0 of 1 + helpers.size() ranks; helper i is rank i + 1. `asked` counts the questions by task.
inline cathoscope::Ranks in_process(const std::vector<cathoscope::RankTasks>& helpers,
                                    const std::shared_ptr<std::map<std::string, int>>& asked = nullptr) {
  cathoscope::Ranks ranks;
  ranks.size = static_cast<int>(helpers.size()) + 1;
  ranks.ask = [helpers, asked](const std::string& task, const std::string& request,
                               const std::function<std::string()>& mine) {
    if (asked) ++(*asked)[task];
    std::vector<std::string> answers{mine()};
    for (const auto& helper : helpers) answers.push_back(helper.at(task)(request));
    return answers;
  };
  return ranks;
}

}  // namespace test
