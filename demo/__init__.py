"""A simulator of job boards, for the demo, the tests and the benchmarks."""
