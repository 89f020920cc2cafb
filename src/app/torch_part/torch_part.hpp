#pragma once
/// What computes with libtorch lies in a shared library of its own, lib/cathoscope/libcathoscope_torch.so. The program loads
/// it when one of these functions is first called: half a second and 290 libraries that most commands do without.
/// calls.cpp, in the program, has each function under its usual name; torch_part.cpp, in the library, fills the list.

#include "git_state.hpp"

#include <cathoscope/latent/training.hpp>
#include <cathoscope/network/network.hpp>
#include <cathoscope/network/training.hpp>

namespace cathoscope {

struct TorchPart {
  const char* version;  ///< torch_part_version of the build that made it; the program takes no library of another one
  decltype(&cathoscope::load_network) load_network;
  decltype(&cathoscope::save_network) save_network;
  decltype(&cathoscope::resolve_device) resolve_device;
  decltype(&cathoscope::predictor) predictor;
  decltype(&cathoscope::train) train;
  decltype(&cathoscope::calibrated) calibrated;
  decltype(&latent_detail::train) train_autoencoder;
};

inline constexpr const char* torch_part_version = CATHOSCOPE_VERSION " (" CATHOSCOPE_GIT_STATE ")";
inline constexpr const char* torch_part_symbol = "cathoscope_torch_part";

}  // namespace cathoscope
