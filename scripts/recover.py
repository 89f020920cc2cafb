#!/usr/bin/python3
"""Usage: recover.py RUN ELECTRODE=PHANTOM...

What a run of synthetic electrodes cost, stage by stage, and how much of what was planted it found: prints tables in Markdown.
RUN is the run folder, PHANTOM the folder of `cathoscope phantom` that ELECTRODE was made with. Reads tables and records
only, no voxels, so it takes seconds at any size.

Particles are matched by place and size: to a true particle belongs the nearest measured one whose centre lies within half
its equivalent radius and whose volume within a factor of two. Both must be whole.
"""
import csv
import json
import math
import pathlib
import sys

import numpy as np
import yaml

SHOWN = ["Volume", "SurfOuter", "Sphericity", "Elongation", "EDensity", "Homogeneity", "RoughOuter", "Contact", "PDensity",
         "DistNearest", "ElongStd", "OrienIso", "Damage"]
TWINS = {"VSratio": "Sphericity", "SurfOuter": "Volume"}  # one cause under two names


def rows_of(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def number(text):
    return float(text) if text not in ("", None) else math.nan


def column(rows, name):
    return np.array([number(r.get(name)) for r in rows])


def print_table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def stage_rows(run):
    """Records of all stages in the order they ended."""
    found = []
    for path in sorted(run.glob("*.json")) + sorted(run.glob("*/*.json")):
        record = json.loads(path.read_text())
        if not (isinstance(record, dict) and "key" in record and "run" in record):
            continue
        facts = record["run"]
        found.append((facts["utc"], record["electrode"] or "both", path.stem, f"{record['seconds']:.1f}",
                      f"{facts.get('processor_seconds', math.nan):.1f}", f"{facts['peak_memory_bytes'] / 2**20:.0f}"))
    return [row[1:] for row in sorted(found)]


def whole(rows):
    return [r for r in rows if number(r["touches_border"]) == 0]


def matches(true_rows, measured_rows):
    """Pairs of rows."""
    places = np.stack([column(measured_rows, c) for c in "XYZ"], axis=1)
    volumes = column(measured_rows, "Volume")
    pairs, taken = [], set()
    for row in true_rows:
        centre, volume = np.array([number(row[c]) for c in "XYZ"]), number(row["Volume"])
        reach = 0.5 * (3 * volume / (4 * math.pi)) ** (1 / 3)
        distance = np.linalg.norm(places - centre, axis=1)
        distance[(volumes < volume / 2) | (volumes > volume * 2)] = np.inf
        best = int(np.argmin(distance)) if len(distance) else 0
        if len(distance) and distance[best] <= reach and best not in taken:
            taken.add(best)
            pairs.append((row, measured_rows[best]))
    return pairs


def ranks(x):
    order = np.empty(len(x))
    order[np.argsort(x, kind="stable")] = np.arange(len(x))
    return order


def attribute_rows(pairs):
    for name in SHOWN:
        true = np.array([number(a.get(name)) for a, _ in pairs])
        measured = np.array([number(b.get(name)) for _, b in pairs])
        known = np.isfinite(true) & np.isfinite(measured)
        true, measured = true[known], measured[known]
        if len(true) < 3:
            continue
        yield (name, len(true), f"{np.median(true):.4g}", f"{np.median(measured - true):+.2g}",
               f"{np.median(np.abs(measured - true)):.2g}", f"{np.corrcoef(true, measured)[0, 1]:.3f}",
               f"{np.corrcoef(ranks(true), ranks(measured))[0, 1]:.3f}")


LINKED = 0.3  # |r| of two attributes that are called linked


def correlation(rows, first, second):
    a, b = column(rows, first), column(rows, second)
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    return np.corrcoef(a, b)[0, 1] if len(a) > 2 and a.std() > 0 and b.std() > 0 else math.nan


def print_links(true, measured):
    """How attributes move together, over all whole particles of each table, matched or not."""
    pairs = [(a, b) for i, a in enumerate(SHOWN) for b in SHOWN[i + 1:]]
    r = np.array([(correlation(true, a, b), correlation(measured, a, b)) for a, b in pairs])
    known = np.isfinite(r).all(axis=1)
    r, pairs = r[known], [p for p, k in zip(pairs, known) if k]
    strong, found = np.abs(r) >= LINKED, r[:, 0] * r[:, 1] > 0
    both = strong.all(axis=1) & found
    print(f"Links between attributes, |r| of at least {LINKED}: {strong[:, 0].sum()} of {len(r)} pairs in the truth, "
          f"{strong[:, 1].sum()} in the measurement, {both.sum()} in both with the same sign; median difference of r "
          f"{np.median(np.abs(r[:, 1] - r[:, 0])):.2f}.\n")
    worst = sorted(range(len(r)), key=lambda i: -abs(r[i, 1] - r[i, 0]))[:5]
    print_table(["farthest from the truth", "r in the truth", "r measured"],
                [(" and ".join(pairs[i]), f"{r[i, 0]:+.2f}", f"{r[i, 1]:+.2f}") for i in worst])


def planted_of(phantom):
    truth = yaml.safe_load((phantom / "truth.yaml").read_text())
    plant = truth["parameters"]["plant"]
    return {t["attribute"]: t["coefficient"] for t in plant["terms"]} if plant["planted"] else {}


def print_electrode(run, name, phantom):
    true_all, measured_all = rows_of(phantom / "attributes.csv"), rows_of(run / name / "attributes.csv")
    true, measured = whole(true_all), whole(measured_all)
    pairs = matches(true, measured)
    print(f"### {name} (synthetic)\n")
    print(f"{len(true_all)} true particles, {len(true)} of them whole; {len(measured_all)} found, {len(measured)} whole; "
          f"{len(pairs)} whole ones matched ({len(true) - len(pairs)} missed, {len(measured) - len(pairs)} without a "
          "true one).\n")
    print_table(["attribute", "pairs", "true median", "bias", "median error", "r", "rank r"], list(attribute_rows(pairs)))
    print_links(true, measured)
    path = run / name / "contributions.csv"
    if not path.exists():
        return
    planted = planted_of(phantom)
    shown = []
    for i, r in enumerate(sorted(rows_of(path), key=lambda r: -number(r["mean_abs_shap"]))):
        cause = TWINS.get(r["attribute"], r["attribute"])
        if i < 8 or number(r["q"]) <= 0.05:
            shown.append((i + 1, r["attribute"], f"{number(r['mean_abs_shap']):.5f}",
                          f"{number(r['ci_low']):.5f} to {number(r['ci_high']):.5f}", f"{number(r['q']):.3f}",
                          f"{planted[cause]:+g}" + ("" if cause == r["attribute"] else f" (as {cause})")
                          if cause in planted else "no"))
    print_table(["rank", "attribute", "mean abs. SHAP", "95 % interval", "q", "planted"], shown)


def main(run, electrodes):
    print_table(["electrode", "stage", "wall s", "processor s", "peak MiB"], stage_rows(run))
    for name, phantom in electrodes:
        print_electrode(run, name, phantom)
    summary = run / "statistics" / "summary.json"
    if summary.exists():
        print(summary.read_text())


if __name__ == "__main__":
    if len(sys.argv) < 3 or not all("=" in a for a in sys.argv[2:]):
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]), [(a.split("=", 1)[0], pathlib.Path(a.split("=", 1)[1])) for a in sys.argv[2:]])
