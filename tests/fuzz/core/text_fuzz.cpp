/// Any bytes as a number, a name, and two names to sort: nothing crashes, and what reads back is what was written.

#include <cathoscope/core/text.hpp>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cathoscope;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto number = number_from(text)) {
    const auto again = number_from(text_of(*number));
    const bool same = again && (*again == *number || (std::isnan(*again) && std::isnan(*number)));
    if (!same) std::abort();
  }
  const auto a = text.substr(0, size / 2);
  const auto b = text.substr(size / 2);
  if (natural_less(a, b) && natural_less(b, a)) std::abort();
  if (natural_less(a, a)) std::abort();
  if (size < 200) (void)nearest_name(a, {"threads", "volume", std::string(b)});
  return 0;
}
