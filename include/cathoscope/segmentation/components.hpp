#pragma once
/// Connected components of volumes of any size, and the two fillings that stand on them.

#include <cathoscope/segmentation/workspace.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace cathoscope {

/// Disjoint sets over 0 .. n-1; the root of a set is its smallest member.
class DisjointSets {
 public:
  explicit DisjointSets(std::size_t n = 0);
  std::uint32_t find(std::uint32_t i);
  void unite(std::uint32_t a, std::uint32_t b);
  [[nodiscard]] std::size_t size() const { return parent_.size(); }

 private:
  std::vector<std::uint32_t> parent_;
};

enum class Neighbours { faces, all };  ///< 6 or 26 (in a single plane 4 or 8)

/// Components within one array: voxels of equal key other than 0 that touch. Fills ids with 1 .. count, 0 elsewhere.
std::uint32_t label_components(const std::uint32_t* keys, const Index3& shape, Neighbours neighbours,
                               std::uint32_t* ids);

/// Components of a whole grid. `ids` holds provisional ids; component_of[id] is the same for all ids of a component
/// (0 = none). Provisional ids depend on the schedule, the components do not.
struct Components {
  ScratchGrid<std::uint32_t> ids;
  std::vector<std::uint32_t> component_of;
};

/// Finds the components of a grid in one pass over its blocks, in which the caller may do more with them.
class ComponentFinder {
 public:
  ComponentFinder(const Workspace& w, Neighbours neighbours);

  /// Provisional ids before + 1 .. before + count of a block's components; 0 = none.
  struct Part {
    Array3<std::uint32_t> ids;
    std::uint64_t before = 0;
    std::uint32_t count = 0;
  };
  /// Once for every block of w; thread-safe. `keys` has the block's shape.
  /// Throws Error{data} where there are more than 2^32 - 2 pieces.
  Part add(const Box& block, const Array3<std::uint32_t>& keys);
  /// Joins what touches across blocks; keys_of gives the same keys for any box.
  Components finish(const std::string& task, const std::function<Array3<std::uint32_t>(const Box&)>& keys_of);

 private:
  Workspace w_;
  Neighbours neighbours_;
  ScratchGrid<std::uint32_t> ids_;
  std::uint64_t used_ = 1;
  std::unique_ptr<std::mutex> mutex_;
};

/// What is known of the provisional ids of all blocks; each block adds its own.
template <class T>
class Tally {
 public:
  void add(const ComponentFinder::Part& part, const std::vector<T>& of_part) {
    const std::scoped_lock lock(mutex_);
    values_.resize(std::max(values_.size(), part.before + part.count + 1));
    std::copy(of_part.begin() + 1, of_part.end(), values_.begin() + static_cast<std::ptrdiff_t>(part.before) + 1);
  }
  std::vector<T> take(std::size_t count) {
    values_.resize(count);
    return std::move(values_);
  }

 private:
  std::mutex mutex_;
  std::vector<T> values_;
};

/// keys_of(box) gives the keys of a box that lies within the grid (0 = not in any component).
/// Throws Error{data} where there are more than 2^32 - 2 pieces.
Components find_components(const Workspace& w, const std::string& task, Neighbours neighbours,
                           const std::function<Array3<std::uint32_t>(const Box&)>& keys_of);

/// Turns background (0) that is not connected by faces to the grid's border or to voxels outside the field of view (2)
/// into particle (1). Axes of a single voxel have no border. Holes larger than `largest` voxels stay.
void fill_holes(const Workspace& w, const ScratchGrid<std::uint8_t>& mask, std::uint64_t largest);

/// Gives background enclosed by one label to that label; other labels are never overwritten. Writes 1 into `filled`
/// where it did. Background connected by faces to the border or to voxels outside the field of view is not enclosed,
/// nor is background that touches two labels. Every label is replaced by number[label] where `number` is not empty.
/// Returns the number of voxels filled.
std::uint64_t fill_labels(const Workspace& w, const ScratchGrid<std::uint32_t>& labels,
                          const std::function<Array3<std::uint8_t>(const Box&)>& field_of_view,
                          const ScratchGrid<std::uint8_t>& filled, const std::vector<std::uint32_t>& number = {});

}  // namespace cathoscope
