#include "torch_part.hpp"

#include <cathoscope/core/error.hpp>

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>

// Compiled with hidden visibility: the library's own calls of these names must reach its own functions.

namespace cathoscope {

namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& remedy) {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  fail(Exit::unavailable,
       "networks and latents need a part of this program that cannot be used on {}: {}. {}; or do without: "
       "segmentation.method watershed, no stage latent",
       host.data(), what, remedy);
}

constexpr const char* install_anew = "Install the program anew, with its folder lib beside bin";

const TorchPart& loaded() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) refuse("/proc/self/exe, which tells where the program lies: " + error.message(), "Mount /proc");
  const auto file = program.parent_path().parent_path() / "lib/cathoscope/libcathoscope_torch.so";
  void* library = dlopen(file.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr)
    refuse(dlerror(), std::filesystem::exists(file, error)
                          ? "Where it names another library, install that one on this machine, too (apt-packages.txt)"
                          : install_anew);
  const auto* part = static_cast<const TorchPart*>(dlsym(library, torch_part_symbol));
  if (part == nullptr) refuse(dlerror(), install_anew);
  if (std::string(part->version) != torch_part_version)
    refuse(fmt::format("{} is of version {}, the program of {}", file.string(), part->version, torch_part_version),
           install_anew);
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
