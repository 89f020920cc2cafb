#include "study_files.hpp"

#include <cathoscope/network/network.hpp>

namespace cathoscope::app {

namespace fs = std::filesystem;

fs::path output_of(const Config& config, const fs::path& config_file, const std::string& given) {
  if (!given.empty()) return fs::absolute(given).lexically_normal();
  return (fs::absolute(config_file).parent_path() / config.output).lexically_normal();
}

Study open_study(const std::string& file, const std::vector<std::string>& set) {
  Study study{read_config<Config>(file, set), {}};
  std::string& model = study.loaded.value.segmentation.model.path;  // relative to the file that names it
  if (model != "builtin" && model != "builtin-ci")
    model = (fs::absolute(file).parent_path() / model).lexically_normal().string();
  Problems problems(study.loaded.where);
  study.inputs = open_inputs(study.loaded.value, problems);
  return study;
}

void require_torch(const std::vector<std::string>& stages) {
  if (has_stage(stages, "latent")) (void)resolve_device("cpu");
}

}  // namespace cathoscope::app
