#pragma once
/// Files that are either whole or absent, hashes, CSV tables.

#include <cathoscope/core/table.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace cathoscope {

/// SHA-256 as 64 hexadecimal digits.
std::string sha256_of_text(std::string_view text);
/// Throws Error{no_input} where the file cannot be read.
std::string sha256_of_file(const std::filesystem::path& path);

/// The whole file. Throws Error{no_input}.
std::string read_text(const std::filesystem::path& path);

/// Writes beside `path`, syncs, renames over it, syncs the folder. Throws Error{cannot_create} or Error{write_error}.
void write_atomically(const std::filesystem::path& path, std::string_view text);

/// A name that others wrote, of a file below some folder: relative, names a file, never climbs.
bool stays_inside(const std::filesystem::path& file);

/// The name to write under before publish() renames it.
std::filesystem::path partial_name(const std::filesystem::path& path);
/// fsync of the partial file, rename to `path`, fsync of the folder. Throws Error{write_error}.
void publish(const std::filesystem::path& path);

/// Comma-separated text: header row, dot decimals, shortest exact numbers, missing = empty, quotes where needed.
std::string csv_text(const Table& table);

/// Reads CSV or TSV (by its header row). A column is numeric if every non-empty field is a number; ids where every field is
/// a whole number >= 0 and the column is called `label`; else text. Throws Error{data} naming the line and column:
/// rows of unequal length, decimal commas, duplicate column names, no header.
Table read_csv(const std::filesystem::path& path);

}  // namespace cathoscope
