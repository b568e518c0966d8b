"""What notebooks need: baselines, models and findings as pandas frames, back-tests, and plots of them."""
