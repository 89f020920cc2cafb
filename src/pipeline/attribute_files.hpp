#pragma once
/// The files of the attributes stage.

#include <cathoscope/attributes/attributes.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace cathoscope {

/// attributes.h5 first, then the CSVs and summary.json; with the matched tables where electrodes differ in voxel size.
std::vector<std::string> attribute_file_names(bool matched);

/// Writes them under their partial names. `synthetic` says how the data were made where they are no measurement.
void write_attribute_files(const std::filesystem::path& folder, const AttributeResult& result,
                           const std::string& synthetic);
void write_matched_files(const std::filesystem::path& folder, const AttributeResult& result);

/// units.json of a run: unit and meaning of each attribute.
std::string units_json();

}  // namespace cathoscope
