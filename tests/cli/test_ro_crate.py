"""ro-crate-metadata.json: what a run's folder says of itself to archives."""
import hashlib
import json

import pytest


def crate_of(output):
    crate = json.loads((output / "ro-crate-metadata.json").read_text())
    assert crate["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    return {entity["@id"]: entity for entity in crate["@graph"]}


def references(value):
    """Every {"@id": ...} below a value that says nothing else."""
    if isinstance(value, dict):
        if set(value) == {"@id"}:
            yield value["@id"]
        else:
            for inner in value.values():
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


TERMS = {"https://w3id.org/ro/crate/1.1", "http://schema.org/CompletedActionStatus"}


def check_crate(output):
    graph = crate_of(output)
    crate = json.loads((output / "ro-crate-metadata.json").read_text())
    assert len(graph) == len(crate["@graph"]), "an entity is there twice"
    for entity in crate["@graph"]:
        assert {"@id", "@type"} <= set(entity)
        for reference in references({k: v for k, v in entity.items() if k != "@id"}):
            assert reference in graph or reference in TERMS, reference
    listed = [part["@id"] for part in graph["./"]["hasPart"]]
    files = {str(p.relative_to(output)) for p in output.rglob("*")
             if p.is_file() and not any(part.startswith(".") for part in p.relative_to(output).parts)
             and p.relative_to(output).parts[0] not in ("export", "explore", "ro-crate-metadata.json")}
    assert set(listed) == files and len(listed) == len(files)
    for name in files - {"log.txt"}:
        content = (output / name).read_bytes()
        assert graph[name]["sha256"] == hashlib.sha256(content).hexdigest(), name
        assert graph[name]["contentSize"] == str(len(content))
        assert "/" in graph[name]["encodingFormat"]
    action = graph["#run"]
    assert action["@type"] == "CreateAction" and action["startTime"] <= action["endTime"]
    assert graph[action["instrument"]["@id"]]["@type"] == "SoftwareApplication"
    assert graph[action["instrument"]["@id"]]["softwareVersion"]
    return graph


def test_every_file_of_a_run_is_listed_with_its_hash(study):
    assert study.run().returncode == 0
    graph = check_crate(study.output)
    assert "license" not in graph["./"] and "author" not in graph["./"] and "keywords" not in graph["./"]
    objects = [o["@id"] for o in graph["#run"]["object"]]
    assert "config.yaml" in objects
    (volume,) = [graph[o] for o in objects if o.startswith("file://")]
    assert volume["sha256"] == hashlib.sha256(study.volume.read_bytes()).hexdigest()
    again = json.loads((study.output / "ro-crate-metadata.json").read_text())
    assert study.run().returncode == 0  # nothing to do
    for crate in (again, now := json.loads((study.output / "ro-crate-metadata.json").read_text())):
        for entity in crate["@graph"]:
            for key in ("startTime", "endTime", "datePublished"):
                entity.pop(key, None)
            if entity["@id"] == "provenance.json":
                entity.pop("sha256"), entity.pop("contentSize")
    assert again == now
    check_crate(study.output)


def test_licence_and_authors_are_named_where_they_are_given(study):
    study.write(more="about:\n  description: Balls in a box.\n  licence: CC-BY-4.0\n  authors:\n"
                     "    - {name: Josiah Carberry, orcid: 0000-0002-1825-0097, affiliation: Brown University}\n"
                     "    - Grace Hopper\n")
    assert study.run().returncode == 0
    graph = check_crate(study.output)
    root = graph["./"]
    assert root["description"] == "Balls in a box."
    assert root["license"] == {"@id": "https://spdx.org/licenses/CC-BY-4.0"}
    assert [graph[a["@id"]]["name"] for a in root["author"]] == ["Josiah Carberry", "Grace Hopper"]
    assert graph["https://orcid.org/0000-0002-1825-0097"]["affiliation"]["@id"] in graph


def test_an_orcid_that_is_none_is_refused(study):
    study.write(more="about: {authors: [{name: A, orcid: '12'}]}\n")
    result = study.run()
    assert result.returncode == 78 and "orcid" in result.stderr


def test_a_run_that_did_not_finish_has_no_crate(study):
    assert study.run().returncode == 0
    moved = (study.output / "e1").rename(study.folder / "elsewhere")
    (study.output / "e1").symlink_to(moved)
    result = study.run("--force")
    assert result.returncode == 73 and "symbolic link" in result.stderr, result.stderr
    assert not (study.output / "ro-crate-metadata.json").exists()
    (study.output / "e1").unlink()
    moved.rename(study.output / "e1")
    assert study.run().returncode == 0
    check_crate(study.output)


def test_synthetic_inputs_are_named_so_and_the_device_is_the_one_used(cathoscope, tmp_path):
    made = cathoscope("phantom", "--preset", "demo", "--set", "shape=[24, 40, 48]", "--output", tmp_path / "p")
    assert made.returncode == 0, made.stderr
    config = tmp_path / "s.yaml"
    config.write_text("name: s\noutput: out\nelectrodes: [{name: e, volume: p/volume.h5}]\n"
                      "segmentation: {method: network, model: builtin-ci}\nstages: [volume, segmentation]\n")
    assert cathoscope("run", config).returncode == 0
    graph = check_crate(tmp_path / "out")
    assert graph["./"]["keywords"] == "synthetic data" and "Synthetic data" in graph["./"]["description"]
    (volume,) = [e for i, e in graph.items() if i.endswith("p/volume.h5")]
    assert volume["keywords"] == "synthetic data" and "cathoscope phantom" in volume["description"]
    provenance = json.loads((tmp_path / "out/provenance.json").read_text())
    assert provenance["device"] in ("cpu float32", "cpu bfloat16")
    assert cathoscope("run", config, "--only", "volume").returncode == 0
    assert json.loads((tmp_path / "out/provenance.json").read_text())["device"] == "none"


def test_slices_of_a_stack_are_one_input(study):
    np = pytest.importorskip("numpy")
    tifffile = pytest.importorskip("tifffile")
    values = np.load(study.volume)
    (study.folder / "slices").mkdir()
    for z, plane in enumerate(values):
        tifffile.imwrite(study.folder / f"slices/s{z:03}.tif", plane)
    study.config.write_text(study.config.read_text().replace("path: grey.npy", "path: slices").replace(
        "stages: [volume, segmentation, attributes]", "stages: [volume]"))
    assert study.run().returncode == 0
    graph = check_crate(study.output)
    stack = graph["#input/e1/volume"]
    assert stack["@type"] == "Dataset" and f"{len(values)} files" in stack["description"]
    hashes = "".join(hashlib.sha256(p.read_bytes()).hexdigest() + "\n" for p in sorted((study.folder / "slices").iterdir()))
    assert stack["sha256"] == hashlib.sha256(hashes.encode()).hexdigest()
