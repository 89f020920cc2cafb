#pragma once
/// What one thread gathers in pass 1. Everything is an integer sum, so the order of tasks does not show in a result.

#include "streaming.hpp"

#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace cathoscope::attributes {

class Accumulator {
 public:
  explicit Accumulator(std::size_t particles) : sums_(particles) {}

  /// Moments, box and counts of a run of a particle.
  void add_run(std::int32_t z, std::int32_t y, std::int32_t begin, const Run& run);
  /// An interface of `amount` between voxels of two different states.
  void add_interface(State a, State b, std::int64_t amount) {
    if (a == unseen || b == unseen) return;
    if (!is_particle(a)) std::swap(a, b);
    if (!is_particle(a)) return;
    OwnAreas& own = sums_[label_of(a) - 1].areas;
    if (b == background)
      (is_crack(a) ? own.crack_matrix : own.solid_matrix) += amount;
    else if (b == beyond)
      (is_crack(a) ? own.crack_face : own.solid_face) += amount;
    else if (label_of(a) == label_of(b))
      own.inner += amount;
    else
      add_contact(a, b, amount);
  }
  /// The two voxels share a face and one is outside the field of view.
  void meet_unseen(State a, State b);

  void merge(const Accumulator& other);
  std::vector<ParticleSums>& sums() { return sums_; }
  [[nodiscard]] std::vector<Contact> contacts() const;

 private:
  void add_contact(State a, State b, std::int64_t amount);

  std::vector<ParticleSums> sums_;
  std::unordered_map<std::uint64_t, Contact> contacts_;
  std::uint64_t last_key_ = 0;
  Contact* last_ = nullptr;
};

/// Label changes between two neighbouring rows, with their three weights: dx = 0, and dx = -1 or 1.
struct RowPairWeights {
  std::int64_t straight;
  std::int64_t diagonal;
};

/// Calls on(state_a, state_b, straight, diagonal, begin, end) for every pair of runs of unequal state that have voxel
/// pairs between them: `straight` pairs at dx = 0, over [begin, end), and `diagonal` ones at dx = -1 and 1 together.
template <class F>
void compare_rows(std::span<const Run> a, std::span<const Run> b, std::int32_t row_begin, const F& on) {
  std::size_t first = 0;
  std::int32_t first_begin = row_begin, a_begin = row_begin;
  for (const Run& run : a) {
    while (b[first].end < a_begin) first_begin = b[first++].end;
    std::int32_t b_begin = first_begin;
    for (std::size_t j = first; j < b.size() && b_begin <= run.end; ++j) {
      if (b[j].state != run.state) {
        const auto overlap = [&](std::int32_t shift) {
          return std::min(run.end, b[j].end - shift) - std::max(a_begin, b_begin - shift);
        };
        const std::int32_t straight = std::max(0, overlap(0));
        const std::int32_t diagonal = std::max(0, overlap(-1)) + std::max(0, overlap(1));
        if (straight + diagonal > 0) on(run.state, b[j].state, straight, diagonal, std::max(a_begin, b_begin));
      }
      b_begin = b[j].end;
    }
    a_begin = run.end;
  }
}

/// Accumulators that tasks borrow. As many are made as tasks run at once.
class AccumulatorPool {
 public:
  explicit AccumulatorPool(std::size_t particles) : particles_(particles) {}

  template <class F>
  void with(const F& f) {
    std::unique_ptr<Accumulator> mine = take();
    f(*mine);
    const std::scoped_lock lock(mutex_);
    free_.push_back(std::move(mine));
  }
  /// All of them added up.
  Accumulator total();

 private:
  std::unique_ptr<Accumulator> take();

  std::size_t particles_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Accumulator>> free_;
};

}  // namespace cathoscope::attributes
