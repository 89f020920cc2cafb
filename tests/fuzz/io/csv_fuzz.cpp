#include "fuzz_input.hpp"

#include <cathoscope/io/files.hpp>

#include <cstdlib>

/// What was read is written and read again: nothing may be lost.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cathoscope;
  try {
    const Table first = read_csv(fuzz::write("a.csv", data, size));
    if (first.rows() > 0 && first.columns.size() > 1) {
      const std::string text = csv_text(first);
      const Table second =
          read_csv(fuzz::write("b.csv", reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
      if (second.columns.size() != first.columns.size() || second.rows() != first.rows()) std::abort();
    }
  } catch (const Error&) {
  }
  return 0;
}
