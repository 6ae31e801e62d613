"""Which defaults find the best neighbours among photographs, and what each costs; see docs/defaults.md."""
