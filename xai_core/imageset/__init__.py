"""A labelled set of pictures: read it, run a model over it, map it, find its extremes, neighbours and mistakes."""
