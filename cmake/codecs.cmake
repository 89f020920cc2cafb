# Compressors of Zarr chunks. Debian ships no CMake packages for two of them.
foreach(codec zstd lz4 blosc)
  find_path(${codec}_INCLUDE_DIR ${codec}.h REQUIRED)
  find_library(${codec}_LIBRARY ${codec} REQUIRED)
  mark_as_advanced(${codec}_INCLUDE_DIR ${codec}_LIBRARY)
  add_library(${codec}_library UNKNOWN IMPORTED)
  set_target_properties(${codec}_library PROPERTIES IMPORTED_LOCATION ${${codec}_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${${codec}_INCLUDE_DIR})
endforeach()
