#pragma once
/// The exit code that an error of the project would end the program with.

#include <cathoscope/core/error.hpp>

namespace test {

template <class F>
cathoscope::Exit exit_of(F&& f) {
  try {
    f();
  } catch (const cathoscope::Error& e) {
    return e.exit();
  }
  return cathoscope::Exit::ok;
}

}  // namespace test
