"""Which category and tags a photo suggests, how surely, and which labels of the catalogue are likely wrong."""
