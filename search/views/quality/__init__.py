"""For staff: how good search is on the shop's own products, by generation and over time, and judging results."""
