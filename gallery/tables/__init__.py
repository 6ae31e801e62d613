"""The notation of tables, shared by import and export: what one writes, the other reads as the same."""
