"""The experiments of the CAC paper: codes ranked from a stay's medication."""
