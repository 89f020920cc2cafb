#include "segmentation_bodies.hpp"

#include <cathoscope/core/error.hpp>

#include <sys/resource.h>

#include <csignal>

using namespace cathoscope;

namespace {

/// Stands in for a full disk: beyond `bytes` of any file, writes fail.
class FileLimit {
 public:
  FileLimit() : handler_(std::signal(SIGXFSZ, SIG_IGN)) { getrlimit(RLIMIT_FSIZE, &before_); }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;
  ~FileLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  void set(rlim_t bytes) const {
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

}  // namespace

TEST_CASE("a disk that is full at any step ends the segmentation with the exit code of a failed write") {
  const std::string step = GENERATE("grey range", "threshold", "distance along y", "basins", "pockets, filling",
                                    "cracks, mouths", "writing /labels", "writing /cracks");
  const int threads = GENERATE(1, 3);
  const Vec3 voxel{0.2, 0.2, 0.2};
  const auto inputs =
      test::grey_inputs(test::with_noise(test::balls({40, 40, 70}, voxel, {{{4, 4, 4}, 3}, {{4, 4, 10}, 2.5}}), 8));
  const test::ScratchDir dir;
  const FileLimit disk;
  bool reached = false;
  ProgressListener listener;
  listener.on_progress = [&](const std::string& task, double) {
    if (task == step && !reached) {
      reached = true;
      disk.set(4096);
    }
  };
  Progress progress(listener);
  std::optional<Exit> exit;
  SegmentationConfig watershed;
  watershed.method = "watershed";
  try {
    auto out = H5File::create(dir / "s.h5");
    segment(watershed, inputs, out, Context{progress, threads, std::uint64_t{1} << 30}, Index3{24, 24, 24});
    out.close();
  } catch (const Error& e) {
    exit = e.exit();
    CHECK(!std::string(e.what()).empty());
  }
  CHECK(reached);
  REQUIRE(exit.has_value());
  CHECK(*exit == Exit::write_error);
}
