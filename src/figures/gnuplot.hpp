#pragma once
/// Runs gnuplot on a script, without a shell.

#include <filesystem>
#include <functional>
#include <string>

namespace cathoscope {

/// Runs `gnuplot -d SCRIPT` in `folder` and returns what it printed. `check_stop` is called about ten times a second and
/// may throw; the process is then ended. Throws Error{unavailable} where there is no gnuplot in $PATH, Error{internal}
/// with its message where it fails or takes longer than `seconds`.
std::string run_gnuplot(const std::filesystem::path& folder, const std::string& script, double seconds,
                        const std::function<void()>& check_stop);

/// Overwrites the CreationDate of a PDF by a fixed one of the same length: cairo writes the time of drawing, whatever
/// SOURCE_DATE_EPOCH says. Throws Error{internal} where there is none.
void fix_pdf_date(std::string& pdf);

}  // namespace cathoscope
