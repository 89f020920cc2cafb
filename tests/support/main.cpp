#define CATCH_CONFIG_RUNNER
#include "test_data.hpp"

/// Catch2 exits with the number of failed assertions; four of them would look like a skipped test (exit code 4).
int main(int argc, char** argv) { return Catch::Session().run(argc, argv) == 0 ? 0 : 1; }

std::filesystem::path test::source_dir() { return CATHOSCOPE_SOURCE_DIR; }
