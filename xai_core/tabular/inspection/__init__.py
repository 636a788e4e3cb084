"""Explanations of a whole model: effects, importance, interaction, SHAP summaries."""
