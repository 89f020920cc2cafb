#include <cathoscope/attributes/attributes.hpp>
namespace cathoscope {
bool Verification::passed() const {
  return std::abs(measured - expected) <= tolerance * (expected == 0 ? 1 : std::abs(expected));
}
std::vector<Verification> verify_attributes(const Context&) { return {}; }
}  // namespace cathoscope
