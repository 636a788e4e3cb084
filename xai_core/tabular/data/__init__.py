"""Tables and their columns: built-in ones, own ones, typed cells and row codes."""
