"""`python -m tests.helpers.in_forks sweep …` is `autoreg sweep …`, whose processes are forks."""

if __name__ == "__main__":  # each fork imports this module, and is to import no more
    from autoreg.cli.main import main
    from tests.helpers.forked import forked_sweeps

    with forked_sweeps():
        main()
