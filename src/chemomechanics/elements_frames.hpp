#pragma once
/// Moments of a run whose fields are kept.

#include <cathoscope/chemomechanics/elements.hpp>

namespace cathoscope {

/// Which steps are such moments: the end of every half-cycle, and each tenth of the first and last charge. Depends on the
/// state alone, so that a resumed run keeps the same ones.
class FrameClock {
 public:
  /// From where `state` stands.
  FrameClock(const ElementModel& model, const ElementState& state);
  /// Whether to keep the fields after this step of a half-cycle that began at `start_content`. Ask once a step.
  bool due(const StepFacts& step, double start_content);

 private:
  [[nodiscard]] std::int64_t tenths_at(HalfCycle half, double start_content, double tau) const;

  const ElementModel& model_;
  std::int64_t tenths_ = 0;
};

/// Keeps the fields of `state` in a file of `folder` whose name sorts by time.
void save_frame(const std::filesystem::path& folder, const ElementModel& model, const ElementState& state,
                const StepFacts& step);

}  // namespace cathoscope
