# Options of every target: cathoscope_options.
add_library(cathoscope_options INTERFACE)
target_compile_features(cathoscope_options INTERFACE cxx_std_20)
# Modules are made for the program and for its shared library; no function is meant to be replaced from outside.
target_compile_options(cathoscope_options INTERFACE -fPIC -fno-semantic-interposition)
# No contraction and no fast-math: the same source gives the same bits on every x86-64-v2 machine.
target_compile_options(cathoscope_options INTERFACE -march=x86-64-v2 -ffp-contract=off)
target_compile_options(cathoscope_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough)
if(CATHOSCOPE_WERROR)
  target_compile_options(cathoscope_options INTERFACE -Werror)
endif()
if(CATHOSCOPE_SANITIZE)
  target_compile_options(cathoscope_options INTERFACE -fsanitize=${CATHOSCOPE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(cathoscope_options INTERFACE -fsanitize=${CATHOSCOPE_SANITIZE})
  if(CATHOSCOPE_SANITIZE MATCHES "undefined" AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # A third of the time of a build, for little: the address sanitizer sees what object-size does; the other two watch
    # calls through wrongly cast pointers, of which the sources have none.
    target_compile_options(cathoscope_options INTERFACE -fno-sanitize=object-size,function,vptr)
  endif()
endif()
if(CATHOSCOPE_COVERAGE)
  target_compile_options(cathoscope_options INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(cathoscope_options INTERFACE --coverage)
endif()
# Modules that are fuzzed, and the fuzz targets. What -fsanitize=fuzzer-no-link stands for, but for precompiled headers, which
# that flag divides in two kinds.
set(instrumented_for_fuzzing "")
if(CATHOSCOPE_FUZZ)
  set(instrumented_for_fuzzing -fsanitize-coverage=inline-8bit-counters,indirect-calls,trace-cmp,pc-table)
endif()
