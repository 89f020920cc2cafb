"""Usage: planted_causes.py null|voxels FOLDER

Are planted causes found, and none where none was planted? Takes synthetic electrodes through the program to their
contributions, prints what docs/regression.md shows, and ends with 1 where a bound is missed.
`null`: 20 tables without a cause. `voxels`: six volumes with their true labels and cracks (some 6 minutes of CPU time).
"""
import csv
import json
import pathlib
import subprocess
import sys

OWN = ["Sphericity", "Elongation", "EDensity", "Z", "Volume"]
AROUND = ["Contact", "PDensity", "OrienIso", "DistNearest", "ElongStd"]
PLANTED = {"paper10": OWN, "swapped50": OWN, "paper0": [], "paper50": AROUND, "swapped": AROUND, "clustered": AROUND,
           "unclustered": AROUND}
TWINS = {"VSratio": "Sphericity", "SurfOuter": "Volume"}  # one cause under two names
WITH_CRACKS = {"SurfInner", "RoughInner"}
STAGES = "stages: [volume, segmentation, attributes, regression]\n"


def rows_of(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def causes_in(table):
    """Attributes of a synthetic table that the paper's profile explains Damage by; without WITH_CRACKS the leak-free one."""
    return set(rows_of(table)[0]) - {"label", "touches_border", "X", "Y", "Damage"}


def null_tables(program, folder, tables, rows):
    """Writes tables whose damage has no cause, leak-free; returns the entries of a configuration."""
    entries = ""
    for seed in range(1, tables + 1):
        made = folder / f"made{seed}"
        program("phantom", "--preset", "paper0", "--tables-only", "--rows", rows, "--seed", seed, "--output", made)
        data = rows_of(made / "attributes.csv")
        names = [name for name in data[0] if name not in WITH_CRACKS]
        with open(folder / f"null{seed}.csv", "w", newline="") as f:
            writer = csv.DictWriter(f, names, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(data)
        entries += f"  - {{name: null{seed}, table: {{path: null{seed}.csv}}}}\n"
    return entries


def null_rates(program, folder, tables=20, rows=600, permutations=399, trees=4):
    """Out-of-bag R2 of the default forest, and the rejections of a small one, on tables without a cause.

    One fit a table (no further seeds or subsets), so that score and floor are of the same kind: then a share of 5 % lies
    above its own floor, before any correction.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = null_tables(program, folder, tables, rows)
    quick = "half_samples: 0, seeds: 1, subsets: 0, spatial_folds: 0"
    for name, settings in (("forest", "permutations: 0"), ("floor", f"permutations: {permutations}, trees: {trees}")):
        # The quotes: a bare null is no text in YAML.
        (folder / f"{name}.yaml").write_text(
            f'name: "null"\noutput: {name}\nelectrodes:\n{entries}stages: [regression]\n'
            f"regression: {{{quick}, {settings}}}\nstatistics: {{permutations: 1, bootstraps: 0}}\n")
        program("run", folder / f"{name}.yaml")
    names = [f"null{i}" for i in range(1, tables + 1)]
    found = [rows_of(folder / "floor" / n / "contributions.csv") for n in names]
    rejected = [sum(float(r["q"]) <= 0.05 for r in table) for table in found]
    attributes = sum(map(len, found))
    above = sum(float(r["mean_abs_shap"]) > float(r["null_floor"]) for table in found for r in table)
    return {"oob_r2": [summary(folder / "forest" / n)["oob_r2"] for n in names], "attributes": attributes,
            "rejected": sum(rejected) / attributes, "tables_with_rejection": sum(r > 0 for r in rejected),
            "above_floor": above / attributes}


def summary(folder):
    return json.loads((folder / "regression.json").read_text())


def true_volume(program, folder, preset, voxel_um, shape, seed=11):
    """A rendered electrode in folder/preset and its entry, with true labels and cracks in place of a segmentation."""
    if not (folder / preset / "electrode.yaml").exists():
        program("phantom", "--preset", preset, "--seed", seed, "--output", folder / preset, "--set",
                f"voxel_size_um={voxel_um}", "--set", f"shape={shape}")
    return (f"  - name: {preset}\n    volume: {{path: {preset}/volume.h5, voxel_size_um: {voxel_um}}}\n"
            f"    labels: {preset}/labels.h5\n    cracks: {preset}/cracks.h5\n")


def voxel_chain(program, folder, presets, voxel_um, shape, settings):
    """preset -> leading attributes, out-of-bag R2, share of the neighbourhood with its interval."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = "".join(true_volume(program, folder, p, voxel_um, shape) for p in presets)
    (folder / "voxels.yaml").write_text(f"name: voxels\noutput: out\nelectrodes:\n{entries}{STAGES}{settings}")
    program("run", folder / "voxels.yaml")
    result = {}
    for preset in presets:
        ranked = sorted(rows_of(folder / "out" / preset / "contributions.csv"), key=lambda r: -float(r["mean_abs_shap"]))
        found = summary(folder / "out" / preset)
        result[preset] = {"leading": [r["attribute"] for r in ranked], "oob_r2": found["oob_r2"],
                          "rows": found["rows_used"], "share": found["share_neighbour"]}
    return result


def misses_of_voxels(result):
    """What is not as planted: the group that leads, the two leading attributes, R2 where nothing is planted."""
    misses = []
    for preset, r in result.items():
        planted = PLANTED[preset]
        if not planted:
            if r["oob_r2"] > 0.05:
                misses.append(f"{preset}: out-of-bag R2 {r['oob_r2']:.3f} without a cause")
            continue
        if (r["share"]["value"] > 0.5) != (planted is AROUND):
            misses.append(f"{preset}: the wrong group leads, share of the neighbourhood {r['share']['value']:.2f}")
        for attribute in r["leading"][:2]:
            if TWINS.get(attribute, attribute) not in planted:
                misses.append(f"{preset}: {attribute} leads and was not planted")
    return misses


def print_voxels(result):
    print("| preset | rows | leading attributes (planted ones bold) | out-of-bag R2 | share of the neighbourhood |")
    print("|---|---|---|---|---|")
    for preset, r in result.items():
        leading = ", ".join(f"**{a}**" if a in PLANTED[preset] else a for a in r["leading"][:5])
        share = r["share"]
        print(f"| `{preset}` | {r['rows']} | {leading} | {r['oob_r2']:.2f} | {share['value']:.2f} "
              f"[{share['ci_low']:.2f}, {share['ci_high']:.2f}] |")


def misses_of_null(r):
    """Benjamini-Hochberg at 5 % rejects anything in 5 % of such tables: more than 3 of 20 in 1.6 % of trials."""
    misses = [f"out-of-bag R2 {v:.3f} without a cause" for v in r["oob_r2"] if v > 0.05]
    if r["rejected"] > 0.05 or r["tables_with_rejection"] > 3 * len(r["oob_r2"]) / 20:
        misses.append(f"{r['rejected']:.3f} of the attributes rejected, in {r['tables_with_rejection']} tables")
    return misses


def main(what, folder):
    from conftest import binary

    def program(*args):
        subprocess.run([binary(), *map(str, args)], check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    if what == "null":
        r = null_rates(program, folder)
        print(json.dumps({**r, "oob_r2": [min(r["oob_r2"]), max(r["oob_r2"])]}))
        misses = misses_of_null(r)
    else:
        r = voxel_chain(program, folder, ["paper10", "paper50", "swapped50", "paper0", "clustered", "unclustered"], 0.2,
                        [236, 460, 460], "regression: {half_samples: 40, permutations: 0}\n"
                        "statistics: {bootstraps: 100}\n")
        print_voxels(r)
        misses = misses_of_voxels(r)
    print("\n".join(misses))
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2])))
