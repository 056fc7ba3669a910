"""The benchmarks: how fast, how large, and beside whom."""
