"""Method network: its model, and what `check` says before a run."""


def with_network(study, keys=""):
    text = study.config.read_text()
    study.write_text(text.replace("method: watershed", "method: network" + keys))


def test_a_model_that_is_not_there_is_no_input_and_named(study):
    with_network(study, ", model: nowhere.h5, particle_diameter_um: 4")
    result = study.run()
    assert result.returncode == 66
    assert str(study.folder / "nowhere.h5") in result.stderr  # relative to the configuration
    assert not (study.output / "e1/segmentation.h5").exists()


def test_a_model_that_is_no_network_is_bad_data(study):
    (study.folder / "weights.h5").write_bytes(b"not at all HDF5")
    with_network(study, ", model: {path: weights.h5}, particle_diameter_um: 4")
    assert study.run().returncode == 65


def test_check_tells_the_working_volume(study):
    with_network(study, ", particle_diameter_um: 14.4, views: axial3")
    result = study.run_program("check", study.config)
    assert result.returncode == 0, result.stderr
    line = next(t for t in result.stdout.splitlines() if "network:" in t)
    assert "0.3 um" in line and "3 views" in line and "GiB" in line


def test_unknown_views_and_instances_are_located(study):
    with_network(study, ", views: diagonal6, instances: gradient, particle_diameter_um: -1")
    result = study.run()
    assert result.returncode == 78
    for word in ["diagonal9", "polyhedra", "particle_diameter_um"]:
        assert word in result.stderr
