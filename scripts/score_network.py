"""Usage: score_network.py PROGRAM MODEL DATA OUT VOLUMES (see score-network.sh)"""

import csv
import itertools
import json
import pathlib
import subprocess
import sys
import time

import h5py
import numpy as np
import tifffile
from PIL import Image

LEVELS = {  # preset, options; seeds far from those of training
    "nominal": ("training", []),
    "severe": ("stress", []),
    "nominal, 0.1 um": ("training", ["--voxel-size-um", "0.1"]),
    "noisy": ("training", ["--set", "noise.sd=[16, 16]", "--set", "noise.white=[5, 5]"]),
}
METHODS = {
    "diagonal9": "method: network, views: diagonal9",
    "axial3": "method: network, views: axial3",
    "kmeans (axial3)": "method: network, views: axial3, instances: kmeans",
    "watershed": "method: watershed",
}
PLANES = {
    "network": "method: network, views: xy",
    "network, polygons": "method: network, views: xy, instances: polyhedra",
}
EXPERT = {"xy0234": 0.155, "xy0613": 0.1505, "unknown_1985wide": 0.2324}
# The voxel size of the nano-CT slices is unknown, and their particles span 20 to 290 pixels: the run estimates their scale
# slice by slice, as it does for anybody who gives none. This number only fixes what the closing of cracks, in um, is in
# pixels.
NANO_VOXEL_UM = 0.13


class Scorer:
    def __init__(self, program, model, data, out, volumes):
        self.program, self.model = program, model
        self.data, self.out, self.volumes = pathlib.Path(data), pathlib.Path(out).resolve(), int(volumes)
        self.out.mkdir(parents=True, exist_ok=True)
        self.lines = []

    def say(self, line):
        self.lines.append(line)
        (self.out / "scores.md").write_text("\n".join(self.lines) + "\n")
        print(line, flush=True)

    def call(self, *arguments):
        return subprocess.run([self.program, *map(str, arguments)], check=True, capture_output=True, text=True).stdout

    def segment(self, folder, volume, settings, until="segmentation"):
        """Runs one electrode; the folder of its results and the seconds it took."""
        folder.mkdir(parents=True, exist_ok=True)
        if "network" in settings:
            settings += f", model: {self.model}"
        study = folder / "study.yaml"
        study.write_text(f"name: score\noutput: {folder / 'run'}\nelectrodes:\n  - name: a\n    volume: {{{volume}}}\n"
                         f"segmentation: {{{settings}}}\n")
        start = time.time()
        self.call("-q", "run", study, "--until", until, "--threads", 2)
        return folder / "run" / "a", time.time() - start

    def evaluate(self, pairs, *options):
        files = itertools.chain.from_iterable(
            ("--prediction", f"{run}/segmentation.h5:/labels", "--truth", truth) for run, truth in pairs)
        return json.loads(self.call("evaluate", *files, *options))


def counts(score, threshold):
    s = score[threshold]
    return f"{s['ap']:.3f}", f"{s['tp']}/{s['fp']}/{s['fn']}"


def row(cells):
    return "| " + " | ".join(str(c) for c in cells) + " |"


def column(path, key, wanted):
    with open(path, newline="") as file:
        return {r[key]: r[wanted] for r in csv.DictReader(file) if r[wanted] != ""}


def write_damage(path, values):
    path.write_text("label,Damage\n" + "".join(f"{k},{v}\n" for k, v in values.items()))


def damage(scorer, run, phantom, wanted):
    """Damage of the matched particles that the border does not cut against the planted one: mean absolute error and Pearson's r."""
    predicted, true = run.parent / "predicted.csv", run.parent / "true.csv"
    write_damage(predicted, column(run / "attributes.csv", "label", wanted))
    whole = column(phantom / "attributes.csv", "label", "touches_border")
    write_damage(true, {k: v for k, v in column(phantom / "particles.csv", "label", "true_damage").items() if whole.get(k) == "0"})
    score = scorer.evaluate([(run, phantom / "labels.h5")], "--damage-prediction", predicted, "--damage-truth", true)
    return [np.nan if score["damage"][key] is None else score["damage"][key] for key in ("mae", "r")]


def phantoms(scorer, level, first_seed):
    preset, options = LEVELS[level]
    for i in range(1 if options[:1] == ["--voxel-size-um"] else scorer.volumes):
        folder = scorer.out / "phantoms" / f"{level.replace(' ', '').replace(',', '-')}-{first_seed + i}"
        if not (folder / "volume.h5").exists():
            scorer.call("phantom", "--preset", preset, "--seed", first_seed + i, "--output", folder, *options)
        yield folder


def score_phantoms(scorer):
    scorer.say("## Phantoms\n\nParticles that the border does not cut, at IoU 0.5, 0.75, 0.9; in brackets TP/FP/FN; "
               "damage: mean absolute error, r.\n")
    head = ["noise", "method", "AP50, all", "AP50", "AP75", "AP90", "mean IoU", "split", "merge", "volume bias",
            "damage, partial volume", "damage, hard", "s a volume"]
    scorer.say(row(head) + "\n" + row(["---"] * len(head)))
    for number, level in enumerate(LEVELS):
        folders = list(phantoms(scorer, level, 90001 + 100 * number))
        for method, settings in METHODS.items():
            runs = [scorer.segment(scorer.out / "runs" / f.name / method.split()[0], f"path: {f / 'volume.h5'}", settings,
                                   "attributes") for f in folders]
            score = scorer.evaluate([(run, f / "labels.h5") for (run, _), f in zip(runs, folders)])
            inner = score["interior"]
            aps = ["{} ({})".format(*counts(inner["strict"], t)) for t in ("0.50", "0.75", "0.90")]
            errors = [np.mean([damage(scorer, run, f, wanted) for (run, _), f in zip(runs, folders)], axis=0)
                      for wanted in ("DamagePartialVolume", "Damage")]
            bias = inner["volume_bias"]
            scorer.say(row([level, method, counts(score["strict"], "0.50")[0], *aps,
                            f"{inner['strict']['0.50']['mean_matched_iou']:.3f}", f"{100 * inner['split_rate']:.1f} %",
                            f"{100 * inner['merge_rate']:.1f} %", "" if bias is None else f"{100 * bias:+.1f} %",
                            *(", ".join(f"{e:.3f}" for e in pair) for pair in errors),
                            f"{np.mean([seconds for _, seconds in runs]):.0f}"]))


def outlines(labels):
    edge = np.zeros(labels.shape, bool)
    edge[1:] |= labels[1:] != labels[:-1]
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    return edge


def overlay(path, grey, truth, prediction):
    """Twice the size: true outlines green, predicted ones red."""
    low, high = np.nanpercentile(grey, [1, 99.5])
    grey = np.nan_to_num(np.clip((grey - low) / (high - low), 0, 1) * 255)
    big = [np.repeat(np.repeat(a, 2, 0), 2, 1) for a in (grey.astype(np.uint8), truth, prediction)]
    rgb = np.repeat(big[0][..., None], 3, axis=2)
    rgb[outlines(big[1])] = (0, 220, 0)
    rgb[outlines(big[2])] = (255, 60, 60)
    Image.fromarray(rgb).save(path)


def plane(run, dataset):
    with h5py.File(run / "segmentation.h5") as file:
        return file[dataset][0]


class Slice:
    """A real slice as it is; pixels that the figure it comes from has overdrawn count nowhere."""

    def __init__(self, name, grey, labels, voxel_um, overdrawn=None):
        self.name, self.voxel_um, self.labels, self.path = name, voxel_um, labels, grey
        self.grey = tifffile.imread(grey).astype(np.float32)
        self.options = ["--voxel-size-um", voxel_um, "--grey", grey]
        if overdrawn is not None:
            self.options += ["--ignore", overdrawn]

    def volume(self):
        return f"path: {self.path}, voxel_size_um: {self.voxel_um}"


def real_slices(scorer):
    folder = scorer.data / "expert_labelled_slices"
    slices = [Slice(n, folder / f"{n}_raw.tif", folder / f"{n}_labels.tif", h, folder / f"{n}_contaminated.png")
              for n, h in EXPERT.items()]
    folder = scorer.data / "silver_labelled_slice"
    return [*slices, Slice("silver", folder / "raw.tif", folder / "labels.tif", 0.21)]


def score_slice(scorer, s, method, settings):
    run, _ = scorer.segment(scorer.out / "slices" / s.name / method.replace(" ", ""), s.volume(), settings)
    return run, scorer.evaluate([(run, s.labels)], *s.options)


def tuned_watershed(scorer, slices):
    """The setting with the best AP50 on these very slices: more than fair to the watershed."""
    best = (-1, None, None)
    for smooth, share in itertools.product((0.1, 0.2, 0.4), (0.15, 0.25, 0.4)):
        settings = f"method: watershed, watershed: {{smooth_um: {smooth}, h_relative: {share}}}"
        scores = [score_slice(scorer, s, f"watershed{smooth}-{share}", settings)[1] for s in slices]
        mean = np.mean([score["lenient"]["0.50"]["ap"] for score in scores])
        best = max(best, (mean, f"watershed, tuned (smooth_um {smooth}, h_relative {share})", scores), key=lambda b: b[0])
    return best[1:]


def slice_row(scorer, s, method, score):
    aps = ["{} ({})".format(*counts(score["lenient"], t)) for t in ("0.50", "0.75", "0.90")]
    bias = score["volume_bias"]
    scorer.say(row([s.name, score["n_truth"], method, *aps, f"{score['lenient']['0.50']['mean_matched_iou']:.3f}",
                    f"{score['lenient']['0.50']['pq']:.3f}", "{} ({})".format(*counts(score["strict"], "0.50")),
                    "" if bias is None else f"{100 * bias:+.1f} %"]))


def score_slices(scorer):
    scorer.say("\n## Real slices, labelled by people\n\nLenient scores (unlabelled particles are not errors); "
               "silver: labels of a published program.\n")
    head = ["slice", "labels", "method", "AP50", "AP75", "AP90", "mean IoU", "PQ", "strict AP50", "area bias"]
    scorer.say(row(head) + "\n" + row(["---"] * len(head)))
    slices = real_slices(scorer)
    tuned, baseline = tuned_watershed(scorer, slices)
    for s, beside in zip(slices, baseline):
        for method, settings in PLANES.items():
            run, score = score_slice(scorer, s, method, settings)
            overlay(scorer.out / f"{s.name}-{method.replace(', ', '-')}.png", s.grey, tifffile.imread(s.labels),
                    plane(run, "labels"))
            slice_row(scorer, s, method, score)
        slice_row(scorer, s, tuned, beside)


def dice(a, b):
    return 2 * np.sum(a & b) / (np.sum(a) + np.sum(b))


def otsu(grey):
    """The threshold of Otsu (1979)."""
    weight, edges = np.histogram(grey, 256)
    centre = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(weight)
    sums = np.cumsum(weight * centre)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return centre[np.nanargmax(between)]


def score_nano_ct(scorer):
    scorer.say("\n## Nano-CT slices: Dice of the active phase\n\n"
               "Their voxel size is unknown; particle_diameter_um is left out, so the run estimates it.\n")
    scorer.say(row(["slice", "network", "Otsu"]) + "\n" + row(["---"] * 3))
    found = []
    for path in sorted((scorer.data / "nanoxct_nmc_slices").glob("*_label.tif"), key=lambda p: int(p.name.split("_")[0])):
        name = path.name.split("_")[0]
        grey = tifffile.imread(path.with_name(f"{name}.tif")).astype(np.float32)
        active = tifffile.imread(path) == 0
        little = scorer.out / f"nano-{name}.tif"
        tifffile.imwrite(little, grey)
        run, _ = scorer.segment(scorer.out / "nano" / name, f"path: {little}, voxel_size_um: {NANO_VOXEL_UM}",
                                "method: network, views: xy")
        labels = plane(run, "labels")
        solid = (labels > 0) & (plane(run, "cracks") == 0)
        overlay(scorer.out / f"nano-{name}.png", grey, active.astype(int), labels)
        found.append((dice(solid, active), dice(grey > otsu(grey), active)))
        scorer.say(row([name, *(f"{d:.3f}" for d in found[-1])]))
    scorer.say(row(["mean", *(f"{d:.3f}" for d in np.mean(found, axis=0))]))


def main():
    scorer = Scorer(*sys.argv[1:6])
    scorer.say(f"# Scores of {scorer.model}\n")
    parts = sys.argv[6:] or ["slices", "nano", "phantoms"]
    if scorer.data.exists():
        if "slices" in parts:
            score_slices(scorer)
        if "nano" in parts:
            score_nano_ct(scorer)
    else:
        scorer.say(f"No real slices: {scorer.data} is absent.")
    if "phantoms" in parts:
        score_phantoms(scorer)


main()
