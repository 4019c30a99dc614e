"""The statistics of experiments: pure numpy and scipy, no models, no clock, every random number from a given seed."""

import os

# Small matrices: further threads only wait for each other. It has to be said before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
