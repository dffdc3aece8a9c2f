"""Groups of scored articles beside each other: how often what, by whom, and accounts of one event side by side."""
