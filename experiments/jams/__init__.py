"""The experiments of the JAMS paper: ICD-9-CM and ICD-10-CM learned together, and what the words of a note say."""
