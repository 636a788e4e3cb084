"""Tables from files: CSV and Parquet to typed columns."""
