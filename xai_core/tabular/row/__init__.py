"""Explanations of one row: LIME, SHAP, gradients, counterfactuals."""
