#include "checkpoint.hpp"

#include "weights_file.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/io/h5.hpp>

#include <algorithm>

namespace cathoscope {

namespace {

constexpr std::size_t point_numbers = 10;

std::vector<double> flat_curve(const std::vector<CurvePoint>& curve) {
  std::vector<double> flat;
  for (const auto& p : curve) {
    flat.push_back(static_cast<double>(p.iteration));
    flat.push_back(p.learning_rate);
    flat.insert(flat.end(), p.training.begin(), p.training.end());
    flat.insert(flat.end(), p.validation.begin(), p.validation.end());
  }
  return flat;
}

std::vector<CurvePoint> curve_from(const std::vector<double>& flat) {
  std::vector<CurvePoint> curve;
  for (std::size_t at = 0; at + point_numbers <= flat.size(); at += point_numbers) {
    CurvePoint p{static_cast<std::int64_t>(flat[at]), flat[at + 1], {}, {}};
    std::copy_n(flat.data() + at + 2, 4, p.training.begin());
    std::copy_n(flat.data() + at + 6, 4, p.validation.begin());
    curve.push_back(p);
  }
  return curve;
}

}  // namespace

void save_checkpoint(const Checkpoint& c, const std::filesystem::path& path) {
  auto file = H5File::create(partial_name(path));
  file.set_attribute("/", "key", c.key);
  file.set_attribute("/", "iteration", std::vector<double>{static_cast<double>(c.state.iteration)});
  file.set_attribute("/", "seconds", std::vector<double>{c.seconds});
  file.set_attribute("/", "sums", std::vector<double>(c.sums.begin(), c.sums.end()));
  file.write_array("parameters", flat_values(c.state.parameters));
  file.write_array("first_moment", flat_values(c.state.first_moment));
  file.write_array("second_moment", flat_values(c.state.second_moment));
  file.write_array("curve", flat_curve(c.curve));
  file.close();
  publish(path);
}

std::optional<Checkpoint> load_checkpoint(const std::filesystem::path& path, const std::string& key,
                                          const NetworkShape& shape) {
  if (!std::filesystem::exists(path)) return {};
  const auto file = H5File::open(path);
  if (file.attribute_text("/", "key") != key)
    fail(Exit::cannot_create,
         "{}: is the checkpoint of another training (other settings, samples or seed). Name another output, or remove "
         "it.",
         path.string());
  const auto iteration = file.attribute("/", "iteration"), seconds = file.attribute("/", "seconds");
  const auto sums = file.attribute("/", "sums");
  if (!iteration || iteration->size() != 1 || !seconds || seconds->size() != 1 || !sums || sums->size() != 4)
    fail(Exit::data, "{}: is damaged; remove it to begin anew", path.string());
  const auto tensors = [&](const char* name) {
    if (file.extents(name) != std::vector<std::int64_t>{parameter_count(shape)})
      fail(Exit::data, "{}: {} has the wrong size; remove the file to begin anew", path.string(), name);
    return tensors_from(shape, file.read_array<float>(name));
  };
  Checkpoint c;
  c.key = key;
  c.seconds = seconds->front();
  std::copy_n(sums->begin(), 4, c.sums.begin());
  if (file.extents("curve").size() != 1) fail(Exit::data, "{}: is damaged; remove it to begin anew", path.string());
  c.curve = curve_from(file.read_array<double>("curve"));
  c.state = {static_cast<std::int64_t>(iteration->front()), tensors("parameters"), tensors("first_moment"),
             tensors("second_moment")};
  return c;
}

}  // namespace cathoscope
