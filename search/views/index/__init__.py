"""The staff page of the index: what is in it and what is not, and the generations that could answer instead."""
