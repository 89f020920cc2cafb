/// Voxel sizes that TIFF files carry: ImageJ text, OME-XML, resolution tags.

#include "input_file.hpp"
#include "tiff_page.hpp"

#include <cathoscope/core/error.hpp>
#include <cathoscope/core/text.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace cathoscope::readers {

namespace {

/// Micrometres in a unit as microscopes write it; empty for inches, pixels and the unknown.
std::optional<double> micrometres(std::string unit) {
  static const std::map<std::string, double> known{
      {"um", 1},          {"\xC2\xB5m", 1},    {"\xCE\xBCm", 1},    {"\xB5m", 1},        {"\\u00B5m", 1},
      {"\\u00b5m", 1},    {"micron", 1},       {"microns", 1},      {"micrometer", 1},   {"micrometre", 1},
      {"micrometers", 1}, {"nm", 1e-3},        {"nanometer", 1e-3}, {"nanometre", 1e-3}, {"pm", 1e-6},
      {"mm", 1e3},        {"millimeter", 1e3}, {"cm", 1e4},         {"m", 1e6},          {"\xC3\x85", 1e-4}};
  while (!unit.empty() && (unit.back() == ' ' || unit.back() == '\r')) unit.pop_back();
  const auto found = known.find(unit);
  return found == known.end() ? std::nullopt : std::optional(found->second);
}

/// ImageJ writes "key=value" lines.
std::string line_value(const std::string& text, const std::string& key) {
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    if (text.compare(at, key.size() + 1, key + "=") == 0)
      return text.substr(at + key.size() + 1, end - at - key.size() - 1);
    at = end + 1;
  }
  return {};
}

std::optional<double> positive(const std::string& text) {
  const auto value = number_from(text);
  return value && std::isfinite(*value) && *value > 0 ? value : std::nullopt;
}

std::int64_t count_in(const std::string& description, const std::string& key) {
  const auto value = positive(line_value(description, key));
  return value && *value < 9e15 ? static_cast<std::int64_t>(*value) : 1;
}

/// Takes a size over, unless it says nothing: exactly 1 in every axis is what programs write when they do not know.
void accept(TiffMetadata& m, const Vec3& zyx, const std::string& from) {
  if (zyx == Vec3{1, 1, 1}) {
    m.notes.push_back(from + " say 1 um in every axis, which programs write when they do not know: voxel size unknown");
    return;
  }
  m.voxel_size_um = zyx;
  m.voxel_size_from = from;
}

void read_imagej(const TiffPages& file, const std::filesystem::path& path, std::int64_t planes, TiffMetadata& m) {
  const std::string& text = file.description;
  m.planes = count_in(text, "images");
  for (const char* kind : {"channels", "frames"})
    if (count_in(text, kind) > 1)
      fail(Exit::data, "{}: an ImageJ hyperstack with {} {}; save one of them as a plain stack", path.string(),
           count_in(text, kind), kind);
  m.contiguous = planes == 1 && *m.planes > 1;
  if (m.contiguous) planes = *m.planes;
  const auto unit = micrometres(line_value(text, "unit"));
  if (!unit || !(file.x_resolution > 0)) return;
  const double x = *unit / file.x_resolution;
  const double y = file.y_resolution > 0 ? *unit / file.y_resolution : x;
  const auto spacing = positive(line_value(text, "spacing"));
  if (spacing) return accept(m, {*spacing * *unit, y, x}, "ImageJ spacing, unit and XResolution");
  if (planes == 1) return accept(m, {x, y, x}, "ImageJ unit and XResolution");
  m.notes.push_back(fmt::format("ImageJ says {} um in x and {} um in y, but no slice spacing: voxel size unknown",
                                text_of(x), text_of(y)));
}

/// Value of an XML attribute; empty where there is none.
std::string xml_attribute(const std::string& xml, const std::string& key) {
  for (auto at = xml.find(key + "="); at != std::string::npos; at = xml.find(key + "=", at + 1)) {
    if (at == 0 || (xml[at - 1] != ' ' && xml[at - 1] != '\n' && xml[at - 1] != '\t')) continue;
    const auto begin = at + key.size() + 1;
    if (begin >= xml.size() || (xml[begin] != '"' && xml[begin] != '\'')) continue;
    const auto end = xml.find(xml[begin], begin + 1);
    if (end != std::string::npos) return xml.substr(begin + 1, end - begin - 1);
  }
  return {};
}

std::optional<double> ome_size(const std::string& xml, const std::string& axis) {
  std::string unit = xml_attribute(xml, "PhysicalSize" + axis + "Unit");
  if (unit == "&#181;m" || unit == "&#xB5;m" || unit == "&#x00B5;m" || unit.empty())
    unit = "um";  // OME's default is um
  const auto value = positive(xml_attribute(xml, "PhysicalSize" + axis));
  const auto factor = micrometres(unit);
  return value && factor ? std::optional(*value * *factor) : std::nullopt;
}

void read_ome(const std::string& xml, const std::filesystem::path& path, std::int64_t planes, TiffMetadata& m) {
  for (const char* axis : {"SizeC", "SizeT"})
    if (const auto n = positive(xml_attribute(xml, axis)); n && *n > 1)
      fail(Exit::data, "{}: OME-TIFF with {} = {}; save one channel and one time as a plain stack", path.string(), axis,
           text_of(*n));
  if (const auto n = positive(xml_attribute(xml, "SizeZ")); n && *n < 9e15) m.planes = static_cast<std::int64_t>(*n);
  const auto x = ome_size(xml, "X"), y = ome_size(xml, "Y"), z = ome_size(xml, "Z");
  if (!x || !y) return;
  if (z || planes == 1) return accept(m, {z.value_or(*x), *y, *x}, "OME PhysicalSize");
  m.notes.push_back(fmt::format("OME says {} um in x, but nothing of z: voxel size unknown", text_of(*x)));
}

/// tifffile writes {"shape": [128, 64, 64]}, and may store all planes behind one directory.
void read_tifffile(const TiffPages& file, std::int64_t planes, TiffMetadata& m) {
  const auto at = file.description.find('[');
  std::vector<double> shape;
  std::string digits;
  for (std::size_t i = at + 1; at != std::string::npos && i < file.description.size(); ++i) {
    const char c = file.description[i];
    if (c >= '0' && c <= '9') {
      digits += c;
      continue;
    }
    if (!digits.empty()) shape.push_back(number_from(digits).value_or(0));
    digits.clear();
    if (c == ']') break;
  }
  const TiffPage& page = file.pages.front();
  if (shape.size() != 3 || shape[1] != static_cast<double>(page.height) || shape[2] != static_cast<double>(page.width))
    return;
  if (shape[0] > 9e15) return;
  m.planes = static_cast<std::int64_t>(shape[0]);
  m.contiguous = planes == 1 && *m.planes > 1;
}

bool is_print_resolution(double per_inch) {
  const double usual[] = {72, 75, 90, 96, 100, 120, 144, 150, 180, 200, 240, 254, 300, 360, 400, 600, 720, 1200, 2400};
  return std::any_of(std::begin(usual), std::end(usual), [&](double u) { return std::abs(per_inch - u) < 0.005 * u; });
}

/// Pixels per centimetre. Beyond 20 um the number is for a printer or a scanner, not for a tomogram of a cathode.
/// The tags know no z: only a single image has its size from them.
void read_resolution_tags(const TiffPages& file, std::int64_t planes, TiffMetadata& m) {
  if (!(file.x_resolution > 0) || file.resolution_unit == RESUNIT_NONE) return;
  if (file.resolution_unit == RESUNIT_INCH) {
    m.notes.push_back(
        fmt::format("XResolution {} per inch is a print resolution: voxel size unknown", text_of(file.x_resolution)));
    return;
  }
  const double x = 1e4 / file.x_resolution;
  const double y = file.y_resolution > 0 ? 1e4 / file.y_resolution : x;
  if (is_print_resolution(file.x_resolution * 2.54) || x > 20 || x < 1e-3) {
    m.notes.push_back(
        fmt::format("XResolution {} per cm ({} um) is a print resolution or implausible: voxel size unknown",
                    text_of(file.x_resolution), text_of(x)));
    return;
  }
  if (x != y || (planes > 1 && x != 1)) {
    m.notes.push_back(
        fmt::format("the resolution tags say {} um in x and {} um in y, and nothing of z: voxel size "
                    "unknown, give voxel_size_um",
                    text_of(x), text_of(y)));
    return;
  }
  accept(m, {x, y, x}, "TIFF XResolution per cm");
}

}  // namespace

TiffMetadata tiff_metadata(const TiffPages& file, const std::filesystem::path& path, std::int64_t planes) {
  TiffMetadata m;
  const std::string& text = file.description;
  if (text.starts_with("ImageJ="))
    read_imagej(file, path, planes, m);
  else if (text.find("<OME") != std::string::npos)
    read_ome(text, path, planes, m);
  else if (text.starts_with("{\"shape\""))
    read_tifffile(file, planes, m);
  if (const auto at = text.find("synthetic:"); at != std::string::npos)
    m.synthetic = text.substr(at, text.find('\n', at) - at);
  const bool text_has_unit = text.starts_with("ImageJ=") && !line_value(text, "unit").empty();
  if (!m.voxel_size_um && m.notes.empty() && !text_has_unit)
    read_resolution_tags(file, m.contiguous ? *m.planes : planes, m);
  return m;
}

}  // namespace cathoscope::readers
