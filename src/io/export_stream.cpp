#include "export_stream.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace cathoscope::exporting {

namespace {

/// How many of `total` lines of `line_bytes` make a box: at most `most`, and where fewer fit, a power of two, so that
/// the boxes keep step with the chunks of 64 in which the grids are stored.
std::int64_t lines_at_once(std::int64_t line_bytes, std::int64_t limit, std::int64_t most) {
  const std::int64_t fitting = std::max<std::int64_t>(1, limit / std::max<std::int64_t>(1, line_bytes));
  return std::min(most, static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(fitting))));
}

}  // namespace

std::vector<Box> boxes_in_file_order(const Index3& shape, std::int64_t value_bytes, std::int64_t limit) {
  const std::int64_t row = shape[2] * value_bytes;
  const std::int64_t plane = shape[1] * row;
  if (plane <= limit) return slabs(shape, lines_at_once(plane, limit, chunk_edge));
  return blocks(shape, {1, lines_at_once(row, limit, shape[1]), shape[2]});
}

std::vector<Box> boxes_of_chunks(const Index3& shape, std::int64_t value_bytes, std::int64_t limit, std::int64_t edge) {
  const std::int64_t room = std::max<std::int64_t>(1, limit / (edge * edge * edge * value_bytes));
  const std::int64_t across = (shape[2] + edge - 1) / edge;
  const std::int64_t columns = std::min(room, across);
  const std::int64_t rows = std::min(room / columns, (shape[1] + edge - 1) / edge);
  return blocks(shape, {edge, edge * rows, edge * columns});
}

void check_not_empty(const std::filesystem::path& path, const Index3& shape) {
  if (whole(shape).empty())
    fail(Exit::data, "{}: cannot export a grid of {} x {} x {} voxels: it is empty", path.string(), shape[0], shape[1],
         shape[2]);
}

PartialFile::~PartialFile() {
  std::error_code ignored;
  if (!finished_) std::filesystem::remove(partial_, ignored);
}

void PartialFile::finish() {
  publish(path_);
  finished_ = true;
}

ByteWriter::ByteWriter(const std::filesystem::path& path)
    : target_(path), file_(std::fopen(target_.partial().c_str(), "wb")) {
  if (!file_) fail(Exit::cannot_create, "{}: cannot be created: {}", path.string(), std::strerror(errno));
}

void ByteWriter::write(const void* bytes, std::size_t count) {
  if (std::fwrite(bytes, 1, count, file_.get()) != count)
    fail(Exit::write_error, "{}: cannot write: {}", target_.path().string(), std::strerror(errno));
}

void ByteWriter::finish() {
  if (std::fclose(file_.release()) != 0)
    fail(Exit::write_error, "{}: cannot write: {}", target_.path().string(), std::strerror(errno));
  target_.finish();
}

}  // namespace cathoscope::exporting
