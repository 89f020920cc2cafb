#include "fuzz_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::open_and_read(fuzz::write("a.tif", data, size));
  return 0;
}
