"""What is kept of a person's searching, always with consent, and what is made of it: recommendations and order."""
