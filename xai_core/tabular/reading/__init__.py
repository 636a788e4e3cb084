"""Files to typed columns: CSV and Parquet, checked and refused in words."""
