"""Seeds depend on the replicate and the purpose, and never change."""

from autoreg.seeds import derive_seed


def test_seeds_are_golden_and_63_bits() -> None:
    assert derive_seed(0, "batches", 3) == derive_seed(0, "batches", 3)
    assert derive_seed(0, "initial weights") == 4751578982794469282
    assert all(0 <= derive_seed(replicate, "x") < 2**63 for replicate in range(100))


def test_purposes_and_replicates_have_seeds_of_their_own() -> None:
    seeds = {derive_seed(replicate, purpose, epoch) for replicate in range(5) for purpose in "ab" for epoch in range(5)}
    assert len(seeds) == 50
