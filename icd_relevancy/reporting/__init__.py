"""Tables and pictures of results."""

from icd_relevancy.reporting.plots import bar_plot, line_plot, scatter_plot, share_plot
from icd_relevancy.reporting.tables import markdown_table, mean_sd, write_table

__all__ = ["bar_plot", "line_plot", "markdown_table", "mean_sd", "scatter_plot", "share_plot", "write_table"]
