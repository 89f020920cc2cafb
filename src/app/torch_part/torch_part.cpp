#include "torch_part.hpp"

/// The only name that the program looks up in the library.
extern "C" const cathoscope::TorchPart cathoscope_torch_part{
    .version = cathoscope::torch_part_version,
    .load_network = &cathoscope::load_network,
    .save_network = &cathoscope::save_network,
    .resolve_device = &cathoscope::resolve_device,
    .predictor = &cathoscope::predictor,
    .train = &cathoscope::train,
    .calibrated = &cathoscope::calibrated,
    .train_autoencoder = &cathoscope::latent_detail::train,
};
