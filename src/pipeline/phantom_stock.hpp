#pragma once
/// Synthetic volumes that a training takes its slices from: made when first asked for, a few kept.

#include "labelled_volume.hpp"

#include <cathoscope/pipeline/training_samples.hpp>

#include <future>
#include <map>
#include <memory>
#include <mutex>

namespace cathoscope::training_detail {

/// Renders a phantom at its own voxel size, normalised; labels are 0 outside a round field of view.
LabelledVolume rendered(const PhantomConfig& config, std::uint64_t seed);

/// Thread-safe. What get() returns depends on the volume's number only.
class PhantomStock {
 public:
  using Volume = std::shared_ptr<const LabelledVolume>;

  PhantomStock(TrainingPhantomConfig config, std::size_t capacity) : config_(std::move(config)), capacity_(capacity) {}

  /// The volume; made in this thread where it is not there, waited for where another thread makes it.
  Volume get(std::uint64_t volume);
  /// Starts to make a volume in a thread of its own, so that none of those that train has to stop for it.
  void prepare(std::uint64_t volume);

 private:
  struct Entry {
    std::shared_future<Volume> made;
    std::uint64_t used = 0;  ///< when, as a number of calls
  };
  [[nodiscard]] Volume make(std::uint64_t volume) const;
  void make_room();

  TrainingPhantomConfig config_;
  std::size_t capacity_;
  std::mutex mutex_;
  std::uint64_t calls_ = 0;
  std::map<std::uint64_t, Entry> entries_;
};

}  // namespace cathoscope::training_detail
