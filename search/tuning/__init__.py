"""A projection that learns from the catalogue's own labels: trained, measured on what it has not seen, and built."""
