#pragma once
/// The only place that includes hdf5.h: owning handles, and errors out of return codes.

#include <cathoscope/core/error.hpp>

#include <hdf5.h>

#include <filesystem>
#include <string>
#include <utility>

namespace cathoscope::h5 {

using Closer = herr_t (*)(hid_t);

/// An identifier that is closed when it goes out of scope.
class Id {
 public:
  Id() = default;
  Id(hid_t id, Closer closer) : id_(id), closer_(closer) {}
  Id(Id&& other) noexcept : id_(std::exchange(other.id_, -1)), closer_(other.closer_) {}
  Id& operator=(Id&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(closer_, other.closer_);
    return *this;
  }
  Id(const Id&) = delete;
  Id& operator=(const Id&) = delete;
  ~Id() {
    if (id_ >= 0) closer_(id_);
  }
  operator hid_t() const { return id_; }  // NOLINT(google-explicit-constructor): passes where the C API wants a hid_t
  [[nodiscard]] bool valid() const { return id_ >= 0; }
  /// Closes now; false where the library reports a failure.
  bool close() { return id_ < 0 || closer_(std::exchange(id_, -1)) >= 0; }

 private:
  hid_t id_ = -1;
  Closer closer_ = nullptr;
};

/// Silences the library's own error printing; call before first use. Cheap to repeat.
void quiet();

/// The innermost message of the library's error stack, for our own messages.
std::string last_message();

/// Memory type of a C++ value type.
template <class T>
hid_t memory_type();

/// Type of a dataset or attribute as in NumPy ("uint8", "float32", "text", ...); empty where it is none of ours.
std::string type_name(hid_t type);

inline Id space_of(hid_t dataset) { return {H5Dget_space(dataset), H5Sclose}; }

}  // namespace cathoscope::h5
