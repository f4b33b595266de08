"""The programs that take our trials: one file each; dropping a file with a decorated function here adds one.

The command line imports all of them for its help, so they import what they need inside their functions.
"""

from autoreg.registry import load_folder

load_folder(__name__, __path__)
