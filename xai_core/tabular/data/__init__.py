"""Tables and their columns: built-in ones, own ones, cells in words, rows as numbers."""
