#include <cathoscope/core/error.hpp>
#include <cathoscope/core/progress.hpp>

namespace cathoscope {

void Progress::begin(const std::string& task, std::uint64_t total) {
  check_stop();
  const std::scoped_lock lock(mutex_);
  task_ = task;
  total_ = total;
  done_ = 0;
  if (listener_.on_progress) listener_.on_progress(task_, 0);
}

void Progress::advance(std::uint64_t units) {
  {
    const std::scoped_lock lock(mutex_);
    done_ += units;
    if (listener_.on_progress)
      listener_.on_progress(task_, total_ == 0 ? 1.0 : static_cast<double>(done_) / static_cast<double>(total_));
  }
  check_stop();
}

void Progress::check_stop() const {
  if (stop_ != nullptr && stop_->load()) throw Error(Exit::interrupted, "stopped on request");
}

void Progress::warn(const std::string& message) {
  const std::scoped_lock lock(mutex_);
  warnings_.push_back(message);
  if (listener_.on_warning) listener_.on_warning(message);
}

std::vector<std::string> Progress::warnings() const {
  const std::scoped_lock lock(mutex_);
  return warnings_;
}

}  // namespace cathoscope
