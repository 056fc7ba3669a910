"""The drills: real faults on the real stack, until their alerts have arrived and are over."""
