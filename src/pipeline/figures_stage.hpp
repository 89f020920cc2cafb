#pragma once
/// Stage `figures`: draws what the other stages left, and says what it could not draw and why.

#include "particle_tables.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace cathoscope {

/// Which results the figures may use. A stage that only the figures want, that may not run and has no result of this
/// configuration is no error: its figures are missing.
class FigureSources {
 public:
  FigureSources(const Config& config, const std::vector<ElectrodeInputs>& inputs, const Run& run);

  /// Whether a stage is looked at: it may run, or the figures may.
  [[nodiscard]] bool wanted(const std::string& stage) const;
  /// Stages of one electrode, up to `attributes`.
  void attempt_electrode(const std::string& electrode, const std::function<void()>& stages);
  /// A stage that takes the particles of all electrodes.
  void attempt_all(const std::string& stage, const std::function<void()>& work);
  void attempt(const std::string& stage, const std::function<void()>& work);

  /// stage, or electrode/stage, and why its result cannot be used
  [[nodiscard]] const std::map<std::string, std::string>& unusable() const { return unusable_; }
  [[nodiscard]] const std::vector<ElectrodeInputs>& inputs() const { return inputs_; }

 private:
  /// A stage of inference over measured electrodes. Where there are too few particles for it and nobody named it in
  /// `stages`, it is skipped with its reason: what was measured is a result without it.
  void measured_or_skipped(const std::string& stage, const std::function<void()>& work);
  bool only_for_figures(const std::function<void()>& work, bool needed, std::string& why) const;

  const Config& config_;
  const std::vector<ElectrodeInputs>& inputs_;
  const Run& run_;
  std::map<std::string, std::string> unusable_;
  std::string without_particles_;  ///< why there are no particles of all electrodes
};

/// How an electrode was made where it is no measurement: its files say so, or a truth stands beside its table.
std::string synthetic_origin(const ElectrodeConfig& config, const ElectrodeInputs& inputs);

/// `tables`: the particles of all electrodes, or of those that could be used. Does nothing where it may not run.
void figures_stage(const Config& config, const std::vector<ParticleTables>& tables, const FigureSources& sources,
                   Run& run);

}  // namespace cathoscope
