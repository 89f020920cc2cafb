#include "history.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/io/files.hpp>
#include <cathoscope/io/h5.hpp>

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cathoscope::chemo {

namespace fs = std::filesystem;

namespace {

std::size_t width_of(std::size_t particles) { return history_head + 4 * particles; }

[[noreturn]] void fail_write(const fs::path& path) {
  fail(Exit::write_error, "{}: cannot be written: {}", path.string(), std::strerror(errno));
}

/// A summary as numbers; x and damage follow in their own arrays.
std::vector<double> numbers_of(const HalfCycleSummary& s) {
  return {static_cast<double>(s.cycle),
          static_cast<double>(s.half),
          s.time_s,
          s.voltage,
          s.x_mean,
          s.x_std,
          s.x_range,
          s.x_std_peak,
          s.damage_mean,
          s.damage_std,
          s.damage_std_peak,
          s.damage_variation,
          s.damage_mean_70,
          s.lithium_error,
          static_cast<double>(s.steps)};
}
constexpr std::size_t summary_numbers = 15;

HalfCycleSummary summary_from(const double* v) {
  HalfCycleSummary s;
  s.cycle = static_cast<std::int64_t>(v[0]);
  s.half = static_cast<HalfCycle>(static_cast<std::int64_t>(v[1]));
  s.time_s = v[2], s.voltage = v[3];
  s.x_mean = v[4], s.x_std = v[5], s.x_range = v[6], s.x_std_peak = v[7];
  s.damage_mean = v[8], s.damage_std = v[9], s.damage_std_peak = v[10];
  s.damage_variation = v[11], s.damage_mean_70 = v[12], s.lithium_error = v[13];
  s.steps = static_cast<std::int64_t>(v[14]);
  return s;
}

std::vector<double> scalars_of(const NetworkState& s) {
  return {static_cast<double>(s.cycle),
          static_cast<double>(s.half),
          s.finished ? 1.0 : 0.0,
          s.time_s,
          s.half_time_s,
          s.half_start_content,
          s.step_scale,
          static_cast<double>(s.half_steps),
          s.voltage,
          s.charge_passed,
          s.initial_content};
}

void take_scalars(const std::vector<double>& v, NetworkState& s) {
  s.cycle = static_cast<std::int64_t>(v[0]);
  s.half = static_cast<HalfCycle>(static_cast<std::int64_t>(v[1]));
  s.finished = v[2] != 0;
  s.time_s = v[3], s.half_time_s = v[4], s.half_start_content = v[5], s.step_scale = v[6];
  s.half_steps = static_cast<std::int64_t>(v[7]);
  s.voltage = v[8], s.charge_passed = v[9], s.initial_content = v[10];
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

History::History(const fs::path& file, std::size_t particles, std::uint64_t records)
    : path_(file), buffer_(width_of(particles)), records_(records) {
  if (records > 0) fs::resize_file(file, records * buffer_.size() * sizeof(double));
  file_.reset(std::fopen(file.c_str(), records > 0 ? "ab" : "wb"));
  if (!file_) fail(Exit::cannot_create, "{}: cannot be created: {}", file.string(), std::strerror(errno));
}

void History::append(const StepFacts& step, double voltage, const ParticleRows& rows) {
  const double head[history_head] = {
      static_cast<double>(step.cycle), static_cast<double>(step.half), step.time_s, step.tau, voltage, step.current_A};
  auto out = std::copy(std::begin(head), std::end(head), buffer_.begin());
  for (const auto* values : {&rows.content, &rows.damage, &rows.hoop_MPa, &rows.resistance})
    out = std::copy(values->begin(), values->end(), out);
  if (std::fwrite(buffer_.data(), sizeof(double), buffer_.size(), file_.get()) != buffer_.size()) fail_write(path_);
  ++records_;
}

void History::sync() {
  if (std::fflush(file_.get()) != 0 || fsync(fileno(file_.get())) != 0) fail_write(path_);
}

std::uint64_t history_records(const fs::path& file, std::size_t particles) {
  std::error_code none;
  const auto bytes = fs::file_size(file, none);
  return none ? 0 : bytes / (width_of(particles) * sizeof(double));
}

HistoryReader::HistoryReader(const fs::path& file, std::size_t particles)
    : path_(file), file_(std::fopen(file.c_str(), "rb")), width_(width_of(particles)) {
  if (!file_) fail(Exit::no_input, "{}: cannot be read: {}", file.string(), std::strerror(errno));
}

std::vector<double> HistoryReader::next(std::size_t count) {
  std::vector<double> rows(count * width_);
  const std::size_t got = std::fread(rows.data(), sizeof(double), rows.size(), file_.get());
  if (got % width_ != 0) fail(Exit::data, "{}: ends within a record", path_.string());
  rows.resize(got);
  return rows;
}

void save_checkpoint(const fs::path& file, const std::string& key, const NetworkState& s, std::uint64_t records) {
  auto out = H5File::create(partial_name(file));
  out.set_attribute("/", "key", key);
  out.write_array("/scalars", scalars_of(s));
  out.write_array("/records", std::vector<std::uint64_t>{records});
  out.write_array("/content", s.content);
  out.write_array("/surface", s.surface);
  out.write_array("/current", s.current);
  out.write_array("/damage", s.damage);
  out.write_array("/opening", s.opening);
  std::vector<double> numbers = numbers_of(s.running), x, damage;
  for (const auto& summary : s.summaries) {
    append(numbers, numbers_of(summary));
    append(x, summary.x);
    append(damage, summary.damage);
  }
  out.write_array("/summaries", numbers);
  out.write_array("/summary_x", x);
  out.write_array("/summary_damage", damage);
  out.close();
  publish(file);
}

std::optional<Checkpoint> load_checkpoint(const fs::path& file, const std::string& key, const NetworkModel& model) {
  if (!fs::exists(file)) return std::nullopt;
  const auto in = H5File::open(file);
  if (in.attribute_text("/", "key") != key) return std::nullopt;
  Checkpoint c;
  auto& s = c.state;
  take_scalars(in.read_array<double>("/scalars"), s);
  c.records = in.read_array<std::uint64_t>("/records").at(0);
  s.content = in.read_array<double>("/content");
  s.surface = in.read_array<double>("/surface");
  s.current = in.read_array<double>("/current");
  s.damage = in.read_array<double>("/damage");
  s.opening = in.read_array<double>("/opening");
  const auto numbers = in.read_array<double>("/summaries");
  const auto x = in.read_array<double>("/summary_x"), damage = in.read_array<double>("/summary_damage");
  const auto n = static_cast<std::ptrdiff_t>(model.particles.size());
  s.running = summary_from(numbers.data());
  for (std::size_t k = 1; k < numbers.size() / summary_numbers; ++k) {
    auto summary = summary_from(numbers.data() + k * summary_numbers);
    const auto first = static_cast<std::ptrdiff_t>(k - 1) * n;
    summary.x.assign(x.begin() + first, x.begin() + first + n);
    summary.damage.assign(damage.begin() + first, damage.begin() + first + n);
    s.summaries.push_back(std::move(summary));
  }
  return c;
}

}  // namespace cathoscope::chemo
