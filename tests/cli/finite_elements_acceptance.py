"""Usage: finite_elements_acceptance.py FOLDER [h_over_R]

Does the damage model in three dimensions show what it must (docs/chemomechanics.md, B1 to B8)? Runs three spheres for 20
cycles, without feedback, without the cyclic law, and one charge with a free face; prints the table of
docs/finite_elements.md, and ends with 1 where a bound is missed. Ten minutes of processor time at h = R/2; runs that were
interrupted go on where they stopped.
"""
import csv
import pathlib
import subprocess
import sys

RUNS = {"base": (20, ""), "none": (20, "  kinetics: {feedback: none}\n"), "static": (6, "  cohesive: {cyclic: false}\n"),
        "free_face": (1, "  boundary: {mechanical: collector_rollers}\n")}


def config(name, h):
    cycles, more = RUNS[name]
    return (f"name: {name}\noutput: {name}\nelectrodes: []\nstages: chemomechanics\nchemomechanics:\n"
            f"  model: finite_elements\n  mesh: {{h_over_R: {h}}}\n  protocol: {{cycles: {cycles}}}\n{more}")


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Result:
    """What a run says at the end of its charges."""

    def __init__(self, folder):
        self.charges = [{k: float(v) if k != "half_cycle" and v else v for k, v in r.items()}
                        for r in rows_of(folder / "chemomechanics_cycles.csv") if r["half_cycle"] == "charge"]
        self.damage, self.content = [], []
        for r in rows_of(folder / "chemomechanics.csv"):
            if r["half_cycle"] != "charge":
                continue
            cycle, particle = int(r["cycle"]) - 1, int(r["particle"]) - 1
            for values, column in ((self.damage, "damage"), (self.content, "concentration")):
                if len(values) == cycle:
                    values.append([])
                if len(values[cycle]) == particle:
                    values[cycle].append(0.0)
                values[cycle][particle] = float(r[column])  # the last step of the charge stays

    def ratio(self, column):
        return self.charges[-1][column] / self.charges[0][column]

    def deviations(self, cycle):
        mean = sum(self.damage[cycle]) / len(self.damage[cycle])
        return [d - mean for d in self.damage[cycle]]


def falling(values):
    return all(b <= 1.01 * a for a, b in zip(values, values[1:]))


def checks(base, none, static, free_face):
    """(criterion, measured, holds)"""
    first, last = base.charges[0], base.charges[-1]
    peak = max(range(len(base.charges)), key=lambda k: base.charges[k]["damage_std_peak"])
    std_peak = base.charges[peak]["damage_std_peak"]
    started, ended = base.deviations(0), base.deviations(-1)
    late = first["damage_mean_70"] / first["damage_mean"]
    late_free = free_face.charges[0]["damage_mean_70"] / free_face.charges[0]["damage_mean"]
    yield ("B1 order of coverage; std(x): peak >= 0.015, end >= 0.008",
           f"{first['x_std_peak']:.3f}, {first['x_std']:.3f}",
           first["x_std_peak"] >= 0.015 and first["x_std"] >= 0.008 and base.content[0] == sorted(base.content[0]))
    yield ("B2 std(x), last over first <= 0.30, falling from cycle 2", f"{base.ratio('x_std'):.3f}",
           base.ratio("x_std") <= 0.30 and falling([c["x_std"] for c in base.charges[1:]]))
    yield ("B3 damage at 70 % of the charge over its end: <= 0.10 with a free face", f"{late_free:.3f}",
           late_free <= 0.10)
    yield ("B3 the same on rollers <= 0.20 (why not 0.10: docs/finite_elements.md)", f"{late:.3f}", late <= 0.20)
    yield ("B3 std(D) >= 0.05 at the end of charge 1, in the order of coverage", f"{first['damage_std']:.3f}",
           first["damage_std"] >= 0.05 and base.damage[0] == sorted(base.damage[0], reverse=True))
    yield ("B4 std(D) peaks by cycle 3; last over peak <= 0.35", f"{peak + 1}; {last['damage_std'] / std_peak:.3f}",
           peak < 3 and last["damage_std"] <= 0.35 * std_peak)
    yield ("B4 deviations add up to 0 (1e-12) and shrink for every particle",
           ", ".join(f"{a:+.3f} to {b:+.3f}" for a, b in zip(started, ended)),
           abs(sum(ended)) < 1e-12 and all(abs(b) < abs(a) for a, b in zip(started, ended)))
    yield ("B4 variation of -ln(1 - D), last over first: <= 0.5, and less than without feedback (why not >= 0.8 there: "
           "docs/finite_elements.md)", f"{base.ratio('damage_variation'):.3f}, {none.ratio('damage_variation'):.3f}",
           base.ratio("damage_variation") <= min(0.5, none.ratio("damage_variation")))
    yield ("B5 without feedback std(x) keeps >= 0.80, and B2 <= 0.4 of that", f"{none.ratio('x_std'):.3f}",
           none.ratio("x_std") >= 0.80 and base.ratio("x_std") <= 0.4 * none.ratio("x_std"))
    frozen = static.charges[-1]["damage_mean"] / static.charges[2]["damage_mean"] - 1
    yield ("B6 without the cyclic law damage stays as after cycle 3 (2 %)", f"{100 * frozen:.2f} %", abs(frozen) <= 0.02)
    voltage = [c["voltage_V"] for c in base.charges]
    yield ("B8 the voltage at the end of charge rises with every cycle", f"{voltage[0]:.3f} to {voltage[-1]:.3f} V",
           all(a < b for a, b in zip(voltage, voltage[1:])))
    yield ("mean D at the end of charge 1 within 0.3 and 0.75", f"{first['damage_mean']:.3f}",
           0.3 <= first["damage_mean"] <= 0.75)


def main():
    folder = pathlib.Path(sys.argv[1])
    h = sys.argv[2] if len(sys.argv) > 2 else "0.5"
    program = pathlib.Path(__file__).resolve().parents[2] / "build/release/bin/cathoscope"
    folder.mkdir(parents=True, exist_ok=True)
    results = {}
    for name in RUNS:
        file = folder / f"{name}.yaml"
        file.write_text(config(name, h), encoding="utf-8")
        subprocess.run([program, "run", file], check=True, stdin=subprocess.DEVNULL)
        results[name] = Result(folder / name)
    missed = 0
    for criterion, measured, holds in checks(**results):
        missed += not holds
        print(f"| {criterion} | {measured} | {'' if holds else 'MISSED'} |")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
