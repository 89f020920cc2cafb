#include "fuzz_input.hpp"

#include <algorithm>
#include <array>
#include <string_view>

/// The bytes are .zarray, .zattrs and the chunk of one small image, with a zero byte between them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto image = [] {
    std::filesystem::create_directories(fuzz::folder() / "a.zarr" / "0");
    return fuzz::folder() / "a.zarr";
  }();
  const std::array<const char*, 3> names{"a.zarr/0/.zarray", "a.zarr/.zattrs", "a.zarr/0/0.0.0"};
  const std::uint8_t* const end = data + size;
  for (const char* name : names) {
    const bool last = std::string_view(name).ends_with("0.0.0");
    const std::uint8_t* const stop = last ? end : std::find(data, end, std::uint8_t{0});
    fuzz::write(name, data, static_cast<std::size_t>(stop - data));
    data = stop == end ? end : stop + 1;
  }
  fuzz::open_and_read(image);
  return 0;
}
