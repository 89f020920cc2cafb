#pragma once
/// HDF5 files of the project: grids by box, one-dimensional arrays, attributes. The library's header stays inside.
/// Files are byte-identical for the same writes in the same order (no object times). Thread-safe (one lock).

#include <cathoscope/core/grid.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cathoscope {

/// How a grid is stored. Labels and masks compress 50-fold at 0.4 GB/s; grey values hardly at all and slowly.
enum class Storage {
  compressed,  ///< shuffle + deflate 1
  checked,     ///< as is, with a checksum a chunk
};

/// An HDF5 file that is open. Copies share it; it closes with the last grid or copy, or by close().
class H5File {
 public:
  /// Makes a new file. Throws Error{cannot_create}.
  static H5File create(const std::filesystem::path& path);
  /// Opens a file for reading. Throws Error{no_input} where it is absent, Error{data} where it is not HDF5.
  static H5File open(const std::filesystem::path& path);

  [[nodiscard]] const std::filesystem::path& path() const;
  [[nodiscard]] bool contains(const std::string& name) const;
  /// Value type of a dataset as in NumPy: "uint8", "float32", ...
  [[nodiscard]] std::string type_of(const std::string& name) const;

  /// A new chunked grid dataset; voxel size and origin become the attributes voxel_size_um and origin_um.
  /// T: (u)int8/16/32/64, float, double. Write whole chunks (64 voxels an axis) where speed matters.
  template <class T>
  GridSink<T> create_grid(const std::string& name, const Index3& shape, const Vec3& voxel_size_um,
                          const Vec3& origin_um, Storage storage);
  /// A grid dataset for reading; values are converted to T by the library (exact where T can hold them).
  template <class T>
  [[nodiscard]] GridSource<T> grid(const std::string& name) const;
  [[nodiscard]] Index3 grid_shape(const std::string& name) const;

  /// Extents of a dataset of any rank. Throws Error{data} where it declares more than the file can hold: ask before
  /// reading an array of somebody else.
  [[nodiscard]] std::vector<std::int64_t> extents(const std::string& name) const;
  template <class T>
  void write_array(const std::string& name, const std::vector<T>& values);
  template <class T>
  [[nodiscard]] std::vector<T> read_array(const std::string& name) const;
  void write_texts(const std::string& name, const std::vector<std::string>& values);
  [[nodiscard]] std::vector<std::string> read_texts(const std::string& name) const;

  /// Attributes of an object ("/" = the file).
  void set_attribute(const std::string& object, const std::string& key, const std::vector<double>& values);
  void set_attribute(const std::string& object, const std::string& key, const std::string& text);
  [[nodiscard]] std::optional<std::vector<double>> attribute(const std::string& object, const std::string& key) const;
  [[nodiscard]] std::optional<std::string> attribute_text(const std::string& object, const std::string& key) const;
  /// A list of texts, of fixed or variable length; empty where there is no such attribute or it is of another kind.
  [[nodiscard]] std::optional<std::vector<std::string>> attribute_texts(const std::string& object,
                                                                        const std::string& key) const;

  /// Flushes and closes. Throws Error{write_error} where anything fails: nothing is safe on disk before this returns.
  void close();

  struct Handle;  ///< shared state, private to the implementation

 private:
  explicit H5File(std::shared_ptr<Handle> handle) : handle_(std::move(handle)) {}
  std::shared_ptr<Handle> handle_;
};

}  // namespace cathoscope
