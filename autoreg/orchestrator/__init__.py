"""Many trials: a plan, its schedule, bundles of trials, and the processes that train them."""
