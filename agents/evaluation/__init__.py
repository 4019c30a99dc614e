"""How good runs are: scores without a model, datasets, and prompts tried on recorded runs."""
