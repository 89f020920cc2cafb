#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/io/hash.hpp>

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace cathoscope {

namespace {

/// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  /// Closes now; false where the system reports a late write error.
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
      fail(Exit::internal, "SHA-256 is not available in this OpenSSL");
  }
  void add(const void* data, std::size_t size) {
    if (EVP_DigestUpdate(context_.get(), data, size) != 1) fail(Exit::internal, "SHA-256 failed");
  }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_DigestFinal_ex(context_.get(), digest.data(), &size) != 1) fail(Exit::internal, "SHA-256 failed");
    std::string text;
    for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

/// Opens a regular file for reading; explains why it cannot.
Descriptor open_input(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) fail(Exit::no_input, "{}: {}", path.string(), std::strerror(errno));
  if (S_ISDIR(info.st_mode)) fail(Exit::no_input, "{}: is a folder, a file is needed", path.string());
  return {path, O_RDONLY};
}

/// Calls f(data, size) for every piece of the file.
template <class F>
void for_each_piece(const std::filesystem::path& path, F&& f) {
  const Descriptor in = open_input(path);
  if (!in.valid()) fail(Exit::no_input, "{}: cannot be opened: {}", path.string(), std::strerror(errno));
  std::vector<char> buffer(std::size_t{1} << 18);
  while (true) {
    const ssize_t n = ::read(in.get(), buffer.data(), buffer.size());
    if (n == 0) return;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(Exit::no_input, "{}: cannot be read: {}", path.string(), std::strerror(errno));
    f(buffer.data(), static_cast<std::size_t>(n));
  }
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

[[noreturn]] void fail_write(const std::filesystem::path& path, const std::string& what, int error) {
  fail(Exit::write_error, "{}: {}: {}", path.string(), what, std::strerror(error));
}

void write_all(int fd, const std::filesystem::path& path, std::string_view text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_write(path, fmt::format("{} of {} bytes written", done, text.size()), errno);
    done += static_cast<std::size_t>(n);
  }
}

void sync(const std::filesystem::path& path, int flags) {
  Descriptor file(path, flags);
  if (!file.valid()) fail_write(path, "cannot be opened to be synced", errno);
  // Some file systems cannot sync a folder and say so; the rename is still atomic there.
  if (::fsync(file.get()) != 0 && errno != EINVAL && errno != ENOTSUP) fail_write(path, "cannot be synced", errno);
  if (!file.close()) fail_write(path, "cannot be closed", errno);
}

}  // namespace

std::string sha256_of_text(std::string_view text) {
  Sha256 sha;
  sha.add(text.data(), text.size());
  return sha.hex();
}

std::string sha256_of_file(const std::filesystem::path& path) {
  return sha256_of_file(path, [] {});
}

std::string sha256_of_file(const std::filesystem::path& path, const std::function<void()>& between_pieces) {
  Sha256 sha;
  for_each_piece(path, [&](const char* data, std::size_t size) {
    between_pieces();
    sha.add(data, size);
  });
  return sha.hex();
}

bool stays_inside(const std::filesystem::path& file) {
  return file.is_relative() && file.has_filename() &&
         std::none_of(file.begin(), file.end(), [](const auto& part) { return part == ".."; });
}

std::string read_text(const std::filesystem::path& path) {
  std::string text;
  for_each_piece(path, [&](const char* data, std::size_t size) { text.append(data, size); });
  return text;
}

std::filesystem::path partial_name(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  constexpr std::size_t longest = 255 - 9;  // NAME_MAX of the usual file systems, less what is added here
  return folder_of(path) / fmt::format(".{}.partial", name.size() > longest ? sha256_of_text(name) : name);
}

void publish(const std::filesystem::path& path) {
  const auto partial = partial_name(path);
  sync(partial, O_RDWR);
  if (std::rename(partial.c_str(), path.c_str()) != 0)
    fail_write(path, "cannot be put in place of " + partial.string(), errno);
  sync(folder_of(path), O_RDONLY | O_DIRECTORY);
}

void write_atomically(const std::filesystem::path& path, std::string_view text) {
  const auto partial = partial_name(path);
  try {
    Descriptor out(partial, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
    if (!out.valid()) fail(Exit::cannot_create, "{}: cannot be created: {}", path.string(), std::strerror(errno));
    write_all(out.get(), path, text);
    if (!out.close()) fail_write(path, "cannot be closed", errno);
    publish(path);
  } catch (...) {
    ::unlink(partial.c_str());
    throw;
  }
}

}  // namespace cathoscope
