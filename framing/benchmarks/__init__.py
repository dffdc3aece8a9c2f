"""Measuring beside what else there is: baselines, public benchmarks, swapped names, speed."""
