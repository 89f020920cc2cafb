#include <cathoscope/attributes/attributes.hpp>
#include <cathoscope/core/parallel.hpp>
#include <cathoscope/io/h5.hpp>

#include <algorithm>
#include <memory>
#include <system_error>

namespace cathoscope {

namespace {

constexpr std::int64_t chunk = 64, longest = 512;  // whole chunks of the file; rows in one piece where they are short

template <class T>
void copy_grid(const GridSource<T>& source, GridSink<T> sink, const Context& context) {
  const std::vector<Box> boxes = blocks(source.shape, {chunk, chunk, longest});
  context.progress.begin("lower resolution", static_cast<std::uint64_t>(volume_of(source.shape)));
  parallel_for(static_cast<std::int64_t>(boxes.size()), context.threads, [&](std::int64_t i) {
    const Box& box = boxes[static_cast<std::size_t>(i)];
    const std::unique_ptr<T[]> values(new T[static_cast<std::size_t>(box.size())]);
    source.read(box, values.get());
    sink.write(box, values.get());
    context.progress.advance(static_cast<std::uint64_t>(box.size()));
  });
}

/// Goes when it is left; what is open can be read all the same.
struct ScratchName {
  const std::filesystem::path& path;
  explicit ScratchName(const std::filesystem::path& p) : path(p) {}
  ~ScratchName() {
    std::error_code gone_already;
    std::filesystem::remove(path, gone_already);
  }
  ScratchName(const ScratchName&) = delete;
  ScratchName& operator=(const ScratchName&) = delete;
};

}  // namespace

AttributeInputs stored(const AttributeInputs& inputs, const std::filesystem::path& scratch, const Context& context) {
  const ScratchName name(scratch);
  std::filesystem::remove(scratch);
  H5File file = H5File::create(scratch);
  const auto keep = [&](const char* dataset, const auto& source, Storage storage) {
    using T = std::remove_pointer_t<decltype(source.load().values.data())>;
    copy_grid<T>(source, file.create_grid<T>(dataset, source.shape, source.voxel_size_um, source.origin_um, storage),
                 context);
  };
  keep("labels", inputs.labels, Storage::compressed);
  if (inputs.cracks.read) keep("cracks", inputs.cracks, Storage::compressed);
  if (inputs.grey) keep("grey", *inputs.grey, Storage::checked);
  if (inputs.field_of_view) keep("field_of_view", *inputs.field_of_view, Storage::compressed);
  file.close();
  const H5File back = H5File::open(scratch);
  AttributeInputs result = inputs;
  result.labels = back.grid<std::uint32_t>("labels");
  if (inputs.cracks.read) result.cracks = back.grid<std::uint8_t>("cracks");
  if (inputs.grey) result.grey = back.grid<float>("grey");
  if (inputs.field_of_view) result.field_of_view = back.grid<std::uint8_t>("field_of_view");
  return result;
}

}  // namespace cathoscope
