"""JSON Schemas of the tables we read and write; installed with the package as `icd_relevancy.schemas`."""
