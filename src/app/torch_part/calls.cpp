#include "torch_part.hpp"

#include <cathoscope/core/error.hpp>

#include <dlfcn.h>

#include <filesystem>
#include <string>

// Compiled with hidden visibility: the library's own calls of these names must reach its own functions.

namespace cathoscope {

namespace {

[[noreturn]] void refuse(const std::string& what) {
  fail(Exit::unavailable,
       "networks and latents need a part of this program that cannot be used: {}. Install the program anew, with the "
       "folder lib beside bin; without that part, choose segmentation.method watershed and leave out the stage latent",
       what);
}

const TorchPart& loaded() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto file = program.parent_path().parent_path() / "lib/cathoscope/libcathoscope_torch.so";
  void* library = dlopen(file.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) refuse(dlerror());
  const auto* part = static_cast<const TorchPart*>(dlsym(library, torch_part_symbol));
  if (part == nullptr) refuse(dlerror());
  if (std::string(part->version) != CATHOSCOPE_VERSION)
    refuse(fmt::format("{} is of version {}, the program of {}", file.string(), part->version, CATHOSCOPE_VERSION));
  return *part;
}

const TorchPart& torch_part() {
  static const TorchPart& part = loaded();
  return part;
}

}  // namespace

Network load_network(const std::filesystem::path& path) { return torch_part().load_network(path); }

void save_network(const Network& network, const std::filesystem::path& path) {
  torch_part().save_network(network, path);
}

ComputeDevice resolve_device(const std::string& request) { return torch_part().resolve_device(request); }

StarPredictor predictor(const Network& network, const PredictionSettings& settings) {
  return torch_part().predictor(network, settings);
}

Network train(const TrainingRequest& request, const TrainingSources& sources, const Context& context) {
  return torch_part().train(request, sources, context);
}

Network calibrated(const Network& network, const std::string& device, const ThresholdChoice& choice,
                   const TrainingSources& sources, const Context& context) {
  return torch_part().calibrated(network, device, choice, sources, context);
}

latent_detail::Trained latent_detail::train(const Autoencoder& start, const TrainingRows& rows,
                                            const std::vector<std::uint8_t>& held_out, const TrainingPlan& plan,
                                            Progress& progress) {
  return torch_part().train_autoencoder(start, rows, held_out, plan, progress);
}

}  // namespace cathoscope
