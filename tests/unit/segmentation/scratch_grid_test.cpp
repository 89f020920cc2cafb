#include "segmentation_bodies.hpp"

#include <cathoscope/core/parallel.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace cathoscope;

namespace {

/// 0 and one value in runs, as labels are; then values that nothing packs.
template <class T>
Array3<T> mixed(const Index3& n, std::uint64_t seed) {
  Stream random(seed, {"scratch"});
  Array3<T> a = array3<T>(n);
  for (std::int64_t z = 0; z < n[0]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[2]; ++x)
        a(z, y, x) = z < n[0] / 2 ? static_cast<T>((x / 20 + y / 20) % 3) : static_cast<T>(random.below(1U << 30));
  return a;
}

Box random_box(const Index3& n, Stream& random) {
  Box box;
  for (std::size_t a = 0; a < 3; ++a) {
    const auto below = [&](std::int64_t k) {
      return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(k)));
    };
    box.begin[a] = below(n[a]);
    box.end[a] = box.begin[a] + 1 + below(n[a] - box.begin[a]);
  }
  return box;
}

template <class T>
Array3<T> part_of(const Array3<T>& values, const Box& box) {
  Array3<T> part = array3<T>(box.shape());
  copy_box(values.data(), shape_of(values), box, part.data());
  return part;
}

/// Bytes on the disk of this process's files without a name.
std::uint64_t unlinked_bytes() {
  std::uint64_t bytes = 0;
  for (const auto& link : std::filesystem::directory_iterator("/proc/self/fd")) {
    struct stat s {};
    if (stat(link.path().c_str(), &s) == 0 && S_ISREG(s.st_mode) && s.st_nlink == 0)
      bytes += static_cast<std::uint64_t>(s.st_blocks) * 512;
  }
  return bytes;
}

}  // namespace

TEMPLATE_TEST_CASE("a scratch grid holds what was written last, box by box", "", std::uint8_t, std::uint16_t,
                   std::uint32_t, float) {
  const Index3 n = GENERATE(Index3{70, 41, 33}, Index3{1, 150, 129}, Index3{9, 64, 64});
  const test::Bench bench(n, {64, 64, 64});
  const ScratchGrid<TestType> grid(bench.workspace);
  Array3<TestType> expected = array3<TestType>(n);
  expected.fill(0);
  Stream random(5, {"boxes"});
  std::int64_t wrong = 0;
  for (int round = 0; round < 40; ++round) {
    Box box = round % 8 == 0 ? whole(n) : random_box(n, random);
    Array3<TestType> values = mixed<TestType>(box.shape(), static_cast<std::uint64_t>(round));
    if (round % 3 == 1) values.fill(static_cast<TestType>(round));  // one value: nothing in the file
    grid.write(box, values.data());
    for (std::int64_t z = box.begin[0]; z < box.end[0]; ++z)
      for (std::int64_t y = box.begin[1]; y < box.end[1]; ++y)
        for (std::int64_t x = box.begin[2]; x < box.end[2]; ++x)
          expected(z, y, x) = values(z - box.begin[0], y - box.begin[1], x - box.begin[2]);
    box = random_box(n, random);
    Array3<TestType> read = array3<TestType>(box.shape());
    grid.read(box, read.data());
    wrong += read != part_of(expected, box) ? 1 : 0;
  }
  CHECK(wrong == 0);
  std::vector<std::int64_t> voxels(500);
  for (auto& v : voxels) v = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(volume_of(n))));
  const auto values = grid.at(
      500, [&](std::uint32_t k) { return voxels[k]; }, bench.progress);
  REQUIRE(values.size() == voxels.size());
  for (std::size_t k = 0; k < voxels.size(); ++k) wrong += values[k] != expected.data()[voxels[k]] ? 1 : 0;
  CHECK(wrong == 0);
}

TEST_CASE("threads that write disjoint boxes of the same tiles lose nothing") {
  const Index3 n{40, 40, 40};
  const test::Bench bench(n, {64, 64, 64});
  const auto values = mixed<std::uint32_t>(n, 3);
  const ScratchGrid<std::uint32_t> grid(bench.workspace);
  const auto boxes = blocks(n, {3, 5, 7});
  parallel_for(static_cast<std::int64_t>(boxes.size()), 4, [&](std::int64_t i) {
    const Box& box = boxes[static_cast<std::size_t>(i)];
    grid.write(box, part_of(values, box).data());
    static_cast<void>(grid.padded(box, 0));
  });
  CHECK((grid.padded(whole(n), 0) == values));
}

TEST_CASE("labels and masks take little of the disk, and none once they are released") {
  const Index3 n{128, 128, 128};
  const test::Bench bench(n, {64, 64, 64});
  Array3<std::uint32_t> labels = array3<std::uint32_t>(n);
  for (std::int64_t i = 0; i < volume_of(n); ++i) {
    const std::int64_t z = i / (n[1] * n[2]), y = i / n[2] % n[1], x = i % n[2];
    const std::int64_t dz = z % 64 - 32, dy = y % 64 - 32, dx = x % 64 - 32;
    const auto ball = static_cast<std::uint32_t>(1 + (z / 64 * 2 + y / 64) * 2 + x / 64);
    labels.data()[i] = dz * dz + dy * dy + dx * dx < 30 * 30 ? ball : 0;
  }
  const std::uint64_t before = unlinked_bytes();
  ScratchGrid<std::uint32_t> grid = test::stored(bench.workspace, labels);
  const std::uint64_t used = unlinked_bytes() - before;
  CHECK(used > 0);
  CHECK(used < labels.size() * sizeof(std::uint32_t) / 10);
  grid.write(whole(n), labels.data());  // in its own place
  CHECK(unlinked_bytes() - before == used);
  grid.release();
  CHECK(unlinked_bytes() == before);
}

TEST_CASE("a scratch grid has no name that a killed process could leave, and removes those that were left") {
  const Index3 n{8, 8, 8};
  const test::Bench bench(n, {8, 8, 8});
  const std::filesystem::path left = bench.dir.path() / ".segmentation-scratch-a1b2c3";
  std::ofstream(left) << "of a killed process";
  std::ofstream(bench.dir.path() / "log.txt") << "kept";
  const ScratchGrid<std::uint8_t> grid(bench.workspace);
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(bench.dir.path()))
    names.push_back(entry.path().filename().string());
  CHECK(names == std::vector<std::string>{"log.txt"});
  const int nameless = open(bench.dir.path().c_str(), O_TMPFILE | O_RDWR, S_IRUSR);
  if (nameless < 0) return;  // a file system that makes none
  close(nameless);
  for (const auto& link : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the listing's own
    CHECK(std::filesystem::read_symlink(link, gone).string().find("segmentation-scratch") == std::string::npos);
  }
}

TEST_CASE("no scratch file in a folder that is not there") {
  test::Bench bench({8, 8, 8}, {8, 8, 8});
  bench.workspace.folder = bench.dir.path() / "missing";
  CHECK_THROWS_AS(ScratchGrid<std::uint8_t>(bench.workspace), Error);
}
