"""The tables and figures of the papers, each a YAML file: `python -m experiments NAME`."""
