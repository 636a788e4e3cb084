"""How an own model reads a table: its demands on each column, and the calls of pandas that meet them."""
