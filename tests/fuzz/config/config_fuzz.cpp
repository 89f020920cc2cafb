/// Any bytes as a configuration: refused with located problems, or read; what is read survives writing and reading.
#include <cathoscope/config/config.hpp>

#include "../../support/study_config.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace cathoscope;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> overrides;
  // What follows a zero byte is taken for --set.
  if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
    overrides.emplace_back(text.substr(zero + 1));
    text = text.substr(0, zero);
  }
  const auto read = [](std::string_view yaml, const std::vector<std::string>& sets) {
    return read_config_text<study::Study>(yaml, "fuzz.yaml", "/", sets, Inputs::may_be_missing).value;
  };
  study::Study value;
  try {
    value = read(text, overrides);
  } catch (const Error& error) {
    if (error.exit() != Exit::config) std::abort();
    return 0;
  }
  if (!(read(canonical_yaml(value), {}) == value)) std::abort();
  return 0;
}
