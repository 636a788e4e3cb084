"""Forms of a table for own models: their demands on each column, and the calls of pandas that meet them."""
