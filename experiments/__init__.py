"""One module for each table or figure of the papers: `python -m experiments.table2 --data synthetic`."""
