#!/usr/bin/python3
"""The peer of bench_regression: scikit-learn's fit of the same forest on the same table, one thread.

Usage: bench_regression table.csv; peer_regression.py table.csv
"""
import sys
import time

import numpy as np
import sklearn
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import train_test_split

data = np.genfromtxt(sys.argv[1], delimiter=",", skip_header=1)
x, y = data[:, :-1].astype(np.float32), data[:, -1]
x, _, y, _ = train_test_split(x, y, test_size=0.05, random_state=0)
for criterion in ("absolute_error", "squared_error"):
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        forest = RandomForestRegressor(n_estimators=40, max_leaf_nodes=30, max_features="sqrt", criterion=criterion,
                                       min_impurity_decrease=1.02e-5, random_state=0, n_jobs=1, oob_score=True)
        forest.fit(x, y)
        best = min(best, time.process_time() - start)
    print(f"scikit-learn {sklearn.__version__} {criterion} {best:.4g} s, oob R2 {forest.oob_score_:.4f}, "
          f"{np.mean([t.tree_.n_leaves for t in forest.estimators_]):.1f} leaves")
