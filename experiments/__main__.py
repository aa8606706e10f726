"""Runs a table or figure: `python -m experiments NAME`, with NAME such as `table2` or `nnbsvr.table3`."""

from experiments.harness import main

if __name__ == "__main__":
    main()
