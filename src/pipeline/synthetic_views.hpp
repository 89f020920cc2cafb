#pragma once
/// `segmentation.fit_view_weights`: how much each view of a network is to be trusted, from an electrode whose truth is known.

#include <cathoscope/segmentation/segmentation.hpp>

#include <string>

namespace cathoscope {

/// Sets the view weights, and the foreground threshold that goes with them, by a fit on one synthetic electrode: always
/// the same one, so that they depend on the network and the views only. A single family needs no weights.
void fit_view_weights(NetworkInputs& network, const std::string& views, const Context& context);

}  // namespace cathoscope
