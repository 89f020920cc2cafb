#include "../io/fuzz_input.hpp"

#include <cathoscope/network/network.hpp>

#include <cstdlib>

using namespace cathoscope;

/// Any bytes as a weights file: refused, or a network whose weights are as many as its shape says.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const Network network = load_network(fuzz::write("a.h5", data, size));
    if (parameter_count(network.metadata().shape) < 1) std::abort();
  } catch (const Error& e) {
    if (e.exit() == Exit::internal) std::abort();
  }
  return 0;
}
