"""What several tests share: writers of model files, and oracles from outside the project."""
