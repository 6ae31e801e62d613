"""Photos from another world than the catalogue's: told by how strange they are, and kept off a few products."""
