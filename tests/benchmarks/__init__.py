"""How fast a grade is and what it takes, as ratios from one run: python -m tests.benchmarks."""
