#pragma once
/// Where tests find real data and scratch space.

#include <catch2/catch.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace test {

/// The source tree. Compiled in one place: test programs of several clones share a compiler cache.
std::filesystem::path source_dir();

/// ../shared/data beside the source tree, or $CATHOSCOPE_TEST_DATA. The real measurements are never part of the
/// project.
inline std::filesystem::path shared_data() {
  if (const char* given = std::getenv("CATHOSCOPE_TEST_DATA")) return given;
  return source_dir().parent_path() / "shared" / "data";
}

/// A file of the real data. Where the folder is absent the process exits with 4: ctest counts the test as skipped.
inline std::filesystem::path data_file(const std::string& name) {
  auto path = shared_data() / name;
  if (!std::filesystem::exists(path)) {
    std::fprintf(stderr, "skipped: %s is not on this machine\n", path.c_str());
    std::exit(4);
  }
  return path;
}

/// A fresh folder that is removed with the object.
class ScratchDir {
 public:
  ScratchDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cathoscope-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
    path_ = pattern;
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  ~ScratchDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace test
