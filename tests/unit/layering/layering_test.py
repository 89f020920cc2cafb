#!/usr/bin/python3
"""Every rule of layering.py catches a planted violation, and a clean tree passes."""
import pathlib
import tempfile
import unittest

import layering

TABLE = """
cathoscope_module(core)  # a comment with cathoscope_module(nonsense)
target_link_libraries(cathoscope_core PUBLIC fmt::fmt Threads::Threads)
cathoscope_module(config USES core LIBRARIES yaml-cpp)
cathoscope_module(io USES core
  LIBRARIES HDF5::HDF5 ${ITK_LIBRARIES} Eigen3::Eigen)
cathoscope_module(volume USES core io)
cathoscope_module(segmentation USES core io)
cathoscope_module(pipeline USES core config io volume segmentation)
add_custom_target(state COMMAND make ${CMAKE_BINARY_DIR}/generated/state.hpp)
add_executable(cathoscope app/main.cpp)
target_link_libraries(cathoscope PRIVATE cathoscope_pipeline CLI11::CLI11)
"""
CLEAN = {
    "src/CMakeLists.txt": TABLE,
    "include/cathoscope/core/grid.hpp": "#include <xtensor/xtensor.hpp>\n#include <fmt/core.h>\n#include <vector>\n",
    "include/cathoscope/io/h5.hpp": "#include <cathoscope/core/grid.hpp>\n",
    "include/cathoscope/volume/volume.hpp": "#include <cathoscope/io/h5.hpp>\n",
    "include/cathoscope/segmentation/segmentation.hpp": "#include <cathoscope/core/grid.hpp>\n",
    "src/io/handle.hpp": "#include <hdf5.h>\n",
    "src/io/h5.cpp": '#include "handle.hpp"\n#include <cathoscope/io/h5.hpp>\n#include <sys/stat.h>\n',
    "src/io/meta.cpp": "#include <itkImage.h>\n",
    "src/io/fit.cpp": "#include <Eigen/Dense>\n",
    "src/pipeline/version.cpp": '#include "state.hpp"\n',
    "src/app/main.cpp": "#include <CLI/CLI.hpp>\n#include <cathoscope/volume/volume.hpp>\n",
}


def violations(changes):
    """Messages for the clean tree with some files replaced or added."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**CLEAN, **changes}.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        root = pathlib.Path(folder).resolve()
        return [f"{file.relative_to(root)}:{line}: {text}" for file, line, text in layering.check(folder)]


class Layering(unittest.TestCase):
    def assert_caught(self, changes, *texts):
        found = violations(changes)
        self.assertEqual(len(found), len(texts), found)
        for text in texts:
            self.assertTrue(any(text in line for line in found), (text, found))

    def test_a_clean_tree_passes(self):
        self.assertEqual(violations({}), [])

    def test_a_module_past_its_row(self):
        self.assert_caught({"src/core/a.cpp": "\n#include <cathoscope/io/h5.hpp>\n"},
                           "src/core/a.cpp:2: module 'core' reaches into 'io'")

    def test_a_stage_that_includes_a_stage(self):
        self.assert_caught({"src/volume/a.cpp": "#include <cathoscope/segmentation/segmentation.hpp>\n"},
                           "module 'volume' reaches into 'segmentation'", "stage module 'volume' includes")

    def test_a_row_of_a_stage_that_names_a_stage(self):
        self.assert_caught({"src/CMakeLists.txt": TABLE.replace("volume USES core", "volume USES segmentation core")},
                           "row of stage module 'volume' names stage module 'segmentation'")

    def test_a_library_in_a_public_header(self):
        for header in ("torch/torch.h", "itkImage.h", "yaml-cpp/yaml.h", "CLI/CLI.hpp", "hdf5.h", "Eigen/Core"):
            with self.subTest(header):
                found = violations({"include/cathoscope/io/b.hpp": f"#include <{header}>\n"})
                self.assertTrue(any("public header includes" in line for line in found), found)

    def test_a_library_outside_its_module(self):
        self.assert_caught({"src/volume/a.cpp": "#include <hdf5.h>\n"}, "module 'volume' includes HDF5")

    def test_a_second_door(self):
        self.assert_caught({"src/io/z.cpp": "#include <H5Cpp.h>\n"}, "src/io/z.cpp:1: a second door to HDF5")

    def test_itk_and_eigen_through_a_header(self):
        self.assert_caught({"src/io/both.hpp": "#include <Eigen/Dense>\n",
                            "src/io/meta.cpp": '#include <itkImage.h>\n#include "both.hpp"\n'},
                           "src/io/meta.cpp:1: ITK and Eigen")

    def test_a_private_header_of_another_module(self):
        self.assert_caught({"src/volume/a.cpp": '#include "../io/handle.hpp"\n'}, "private header ../io/handle.hpp")

    def test_a_public_header_that_includes_a_private_one(self):
        self.assert_caught({"include/cathoscope/io/b.hpp": '#include "../../../src/io/handle.hpp"\n'},
                           "public header includes the private header")

    def test_an_unknown_library(self):
        self.assert_caught({"src/io/a.cpp": "#include <opencv2/core.hpp>\n"}, "belongs to no library")

    def test_a_folder_without_a_row(self):
        self.assert_caught({"src/extra/a.cpp": "\n"}, "'extra' is no module")

    def test_a_header_that_is_not_there(self):
        self.assert_caught({"src/io/a.cpp": "#include <cathoscope/io/gone.hpp>\n"}, "does not exist")


if __name__ == "__main__":
    unittest.main()
