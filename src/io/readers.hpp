#pragma once
/// The readers behind open_volume, one a format.

#include <cathoscope/io/volume_file.hpp>

#include <filesystem>
#include <vector>

namespace cathoscope::readers {

using Paths = std::vector<std::filesystem::path>;

VolumeFile open_tiff(const Paths& files);
VolumeFile open_png(const Paths& files);
VolumeFile open_edf(const Paths& files);
VolumeFile open_hdf5(const std::filesystem::path& path, const OpenOptions& options);
VolumeFile open_raw(const std::filesystem::path& path, const OpenOptions& options);
VolumeFile open_npy(const std::filesystem::path& path);
/// `path` is the .vol or its .vol.info.
VolumeFile open_vol(const std::filesystem::path& path, const OpenOptions& options);
VolumeFile open_meta_image(const std::filesystem::path& path);
VolumeFile open_nrrd(const std::filesystem::path& path);
/// `path` is the folder; `dataset` names a level, an array or a group below it.
VolumeFile open_zarr(const std::filesystem::path& path, const OpenOptions& options);
/// Whether a folder is, or calls itself, Zarr of any version or N5.
bool is_zarr_folder(const std::filesystem::path& folder);

/// The file that a header names, which must lie in the header's own folder or below. Throws Error{data},
/// Error{no_input}.
std::filesystem::path file_named_by(const std::filesystem::path& header, const std::string& name);

/// Slices of a stack in natural order. `notes` gets first, last and count. Throws Error{data} naming the files where
/// numbers are missing or doubled, or names follow two patterns.
Paths ordered_slices(Paths files, std::vector<std::string>& notes);

/// A list for a message, cut after a few.
std::string listed(const std::vector<std::string>& names);

}  // namespace cathoscope::readers
