#include <cathoscope/chemomechanics/mesh.hpp>
#include <cathoscope/core/error.hpp>

#include <cstdint>
#include <cstdlib>

/// Any text is a mesh or a reason; a mesh has as many nodes on either side of every facet.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cathoscope;
  try {
    const fem::Mesh mesh = fem::make_mesh(fem::read_msh({reinterpret_cast<const char*>(data), size}, "a.msh"), 2);
    for (const auto& f : mesh.interface)
      for (std::size_t i = 0; i < 6; ++i)
        if (mesh.domain_of_node[static_cast<std::size_t>(f.inner[i])] != f.particle) std::abort();
  } catch (const Error&) {
  }
  return 0;
}
