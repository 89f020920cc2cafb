#pragma once
/// Small inputs for reader tests, and what to compare them with.

#include "test_data.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/volume_file.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace test {

/// A value that differs between neighbours in every axis.
template <class T>
T value_at(std::int64_t z, std::int64_t y, std::int64_t x) {
  return static_cast<T>((z * 31 + y * 7 + x * 3) % 120) - static_cast<T>(std::is_signed_v<T> ? 60 : 0);
}

template <class T>
std::vector<T> values_of(const cathoscope::Index3& n) {
  std::vector<T> v;
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[2]; ++x) v.push_back(value_at<T>(z, y, x));
  return v;
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The bytes of values, in the order of the machine or reversed.
template <class T>
std::string bytes_of(const std::vector<T>& values, bool reversed = false) {
  std::string bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  if (reversed)
    for (std::size_t i = 0; i < bytes.size(); i += sizeof(T))
      std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                   bytes.begin() + static_cast<std::ptrdiff_t>(i + sizeof(T)));
  return bytes;
}

/// Whole, and an odd box inside, are as value_at says.
template <class T>
void check_values(const cathoscope::VolumeFile& v, const cathoscope::Index3& n) {
  using namespace cathoscope;
  REQUIRE(v.shape == n);
  const auto all = v.as<T>().load();
  const auto expected = values_of<T>(n);
  CHECK(std::equal(expected.begin(), expected.end(), all.values.data()));
  const Box box{{n[0] / 3, n[1] / 4, n[2] / 5}, {n[0] - n[0] / 4, n[1] - 1, n[2] - 2}};
  const auto part = v.as<T>().load(box);
  bool same = true;
  for (std::int64_t z = 0; z < box.shape()[0]; ++z)
    for (std::int64_t y = 0; y < box.shape()[1]; ++y)
      for (std::int64_t x = 0; x < box.shape()[2]; ++x)
        same = same && part(static_cast<std::size_t>(z), static_cast<std::size_t>(y), static_cast<std::size_t>(x)) ==
                           value_at<T>(z + box.begin[0], y + box.begin[1], x + box.begin[2]);
  CHECK(same);
}

/// What a call throws: exit code and message; Exit::ok where it does not throw.
struct Outcome {
  cathoscope::Exit exit = cathoscope::Exit::ok;
  std::string message;
  [[nodiscard]] bool says(const std::string& text) const { return message.find(text) != std::string::npos; }
};

template <class F>
Outcome outcome_of(F&& f) {
  try {
    f();
  } catch (const cathoscope::Error& e) {
    return {e.exit(), e.what()};
  }
  return {};
}

inline Outcome opening(const std::filesystem::path& path, const cathoscope::OpenOptions& options = {}) {
  return outcome_of([&] { (void)cathoscope::open_volume(path, options); });
}

/// Opening, and reading all.
inline Outcome reading(const std::filesystem::path& path, const cathoscope::OpenOptions& options = {}) {
  return outcome_of([&] { (void)cathoscope::open_volume(path, options).as<float>().load(); });
}

inline bool has_note(const cathoscope::VolumeFile& v, const std::string& text) {
  for (const auto& n : v.notes)
    if (n.find(text) != std::string::npos) return true;
  return false;
}

/// Runs Debian's Python, which has numpy and h5py: writers that are not ours.
inline void python(const std::string& code) {
  const ScratchDir dir;
  write_bytes(dir / "code.py", code);
  const std::string command = "/usr/bin/python3 '" + (dir / "code.py").string() + "'";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("the fixture script failed:\n" + code);
}

}  // namespace test
