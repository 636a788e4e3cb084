"""Projections of a run to the plane: PCA, t-SNE, UMAP, and their neighbours."""
