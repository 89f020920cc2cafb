#include "synthetic_views.hpp"

#include "phantom_stock.hpp"

#include <cathoscope/phantom/phantom.hpp>
#include <cathoscope/segmentation/fusion.hpp>

namespace cathoscope {

namespace {

constexpr std::uint64_t electrode_seed = 90001;  // of no training: those draw theirs from a stream of their own

}  // namespace

void fit_view_weights(NetworkInputs& network, const std::string& views, const Context& context) {
  if (views == "xy") return;
  const PhantomConfig config = phantom_preset("training");
  const auto electrode = training_detail::rendered(config, electrode_seed);
  std::vector<std::uint16_t> codes(electrode.grey.size());
  std::vector<std::uint8_t> truth(codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] = WorkingVolume::code(electrode.grey[i], true);
    truth[i] = electrode.labels[i] != 0 ? 1 : 0;
  }
  const double h = config.voxel_size_um;
  const WorkingVolume volume(working_grid_of_voxel(electrode.shape, {h, h, h}, {0, 0, 0}, h), std::move(codes));
  ViewWeights fitted = fitted_view_weights(volume, truth, network.predict, views, context);
  network.view_weights = std::move(fitted.weights);
  network.foreground_threshold = fitted.foreground_threshold;
}

}  // namespace cathoscope
