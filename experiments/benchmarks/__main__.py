"""Runs the benchmarks named, or all but the long `memory` and `backbones`."""

import argparse
import importlib
import sys

import pandas as pd

from icd_relevancy._keras import start_tensorflow
from icd_relevancy.reporting import markdown_table, write_table

QUICK = (
    "losses", "report", "graph", "embed", "attention", "ranking", "hierarchy", "prediction", "code_graph",
    "thresholds",
)  # fmt: skip
LONG = ("memory", "backbones")


def main() -> None:
    """Prints a row a measurement and writes `results/bench/bench.csv` and `.md`."""
    parser = argparse.ArgumentParser("python -m experiments.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=(*QUICK, *LONG, []), help=f"default: {' '.join(QUICK)}")
    rows = []
    start_tensorflow()
    for name in parser.parse_args().names or QUICK:
        for row in importlib.import_module(f"experiments.benchmarks.{name}").measure():
            print(
                f"{row['what']}: {row.get('ratio', row.get('ours')):.2f} (target {row['target']})",
                file=sys.stderr,
            )
            rows.append(row)
    table = pd.DataFrame(rows).set_index("what")
    write_table(table, "results/bench", "bench", digits=2)
    print(markdown_table(table, digits=2))


if __name__ == "__main__":
    main()
