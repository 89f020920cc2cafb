#include "../../../src/pipeline/stage_record.hpp"
#include "../io/fuzz_input.hpp"

#include <cathoscope/io/files.hpp>

#include <cstdlib>

using namespace cathoscope;

/// Any bytes as the record of a stage: refused as damaged, or it names files inside its folder and survives writing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto path = fuzz::write("stage.json", data, size);
  try {
    const auto record = read_record(path);
    if (!record) std::abort();  // the file is there
    for (const auto& output : record->outputs)
      if (!stays_inside(output.file)) std::abort();
    (void)differences(*record, record->spec, fuzz::folder());
    write_record(fuzz::folder() / "again.json", *record);
    const auto again = read_record(fuzz::folder() / "again.json");
    if (!again || stage_key(again->spec) != stage_key(record->spec) || again->key != record->key) std::abort();
  } catch (const Error& e) {
    if (e.exit() != Exit::data) std::abort();
  }
  return 0;
}
