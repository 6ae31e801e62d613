"""Pages and fragments of search."""
