#pragma once
/// Names of the figures: file names, and values of `figures.which`.

#include <string>
#include <vector>

namespace cathoscope {

/// In the order in which they are drawn and listed: fig1b, ...
const std::vector<std::string>& figure_names();
/// `all` and the names.
std::vector<std::string> figure_choices();

}  // namespace cathoscope
