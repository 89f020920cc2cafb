#include "drawers.hpp"

namespace cathoscope {

const std::vector<Drawer>& drawers() {
  static const std::vector<Drawer> all{};
  return all;
}

const std::vector<std::string>& figure_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const auto& d : drawers()) list.push_back(d.name);
    return list;
  }();
  return names;
}

std::vector<std::string> figure_choices() {
  std::vector<std::string> choices = figure_names();
  choices.insert(choices.begin(), "all");
  return choices;
}

}  // namespace cathoscope
