"""The tables and figures of NNBSVR; run one as `python -m experiments.nnbsvr.table7`."""
