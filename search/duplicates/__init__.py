"""Photos that the catalogue holds twice: how they are found, remembered and decided."""
