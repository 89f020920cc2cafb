#include "fuzz_input.hpp"

/// The bytes are the description; the volume beside it is always the same 24 bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto volume =
      fuzz::write("a.vol", reinterpret_cast<const std::uint8_t*>("abcdefghijklmnopqrstuvwx"), 24);
  fuzz::write("a.vol.info", data, size);
  fuzz::open_and_read(volume);
  return 0;
}
