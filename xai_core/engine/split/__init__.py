"""Networks split in two, so that what a hidden patch cannot change is computed once."""
