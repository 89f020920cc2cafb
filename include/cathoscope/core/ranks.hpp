#pragma once
/// Processes that share the work of one run. Rank 0 runs it; the others do what it asks of them.

#include <cathoscope/core/error.hpp>

#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

namespace cathoscope {

/// As rank 0 sees them; alone by default. Requests and answers are bytes (`Packed`, `Unpacked` below).
struct Ranks {
  int size = 1;

  /// Has every other rank do the task of this name with `request`, does `mine` meanwhile, and gives the answers in order
  /// of the ranks, that of `mine` first. What any rank throws is thrown here, once all are done: the first in that order,
  /// a wish to stop after everything else. Only for the main thread.
  std::function<std::vector<std::string>(const std::string& task, const std::string& request,
                                         const std::function<std::string()>& mine)>
      ask;

  [[nodiscard]] bool shared() const { return size > 1; }
};

/// Something that all ranks do for themselves, where there are several; else this one alone.
inline void on_all(const Ranks& ranks, const std::string& task, const std::string& request,
                   const std::function<void()>& mine) {
  if (!ranks.shared()) return mine();
  ranks.ask(task, request, [&] {
    mine();
    return std::string();
  });
}

/// What another rank can be asked for, by name.
using RankTasks = std::map<std::string, std::function<std::string(const std::string& request)>>;

/// Values one after the other as bytes of this machine: all ranks are the same program on the same kind of processor.
class Packed {
 public:
  template <class T>
  Packed& operator<<(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  template <class T>
  Packed& operator<<(const std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>);
    *this << std::uint64_t{values.size()};
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
    return *this;
  }
  Packed& operator<<(const std::string& text) {
    *this << std::uint64_t{text.size()};
    bytes_ += text;
    return *this;
  }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads what `Packed` wrote, in the same order; it must outlive this. Throws Error{internal} where there is less.
class Unpacked {
 public:
  explicit Unpacked(const std::string& bytes) : bytes_(bytes) {}

  template <class T>
  Unpacked& operator>>(T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(&value, next(sizeof value), sizeof value);
    return *this;
  }
  template <class T>
  Unpacked& operator>>(std::vector<T>& values) {
    const auto bytes = next_size(sizeof(T));
    values.resize(bytes / sizeof(T));
    if (bytes > 0) std::memcpy(values.data(), next(bytes), bytes);
    return *this;
  }
  Unpacked& operator>>(std::string& text) {
    const auto bytes = next_size(1);
    text.assign(next(bytes), bytes);
    return *this;
  }

 private:
  std::size_t next_size(std::size_t each) {
    std::uint64_t count = 0;
    *this >> count;
    if (count > (bytes_.size() - at_) / each) fail(Exit::internal, "a message between ranks is cut");
    return static_cast<std::size_t>(count) * each;
  }
  const char* next(std::size_t bytes) {
    if (bytes > bytes_.size() - at_) fail(Exit::internal, "a message between ranks is cut");
    at_ += bytes;
    return bytes_.data() + at_ - bytes;
  }

  const std::string& bytes_;
  std::size_t at_ = 0;
};

}  // namespace cathoscope
