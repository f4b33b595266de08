"""`python -m autoreg` is the command line."""

from autoreg.cli.main import main

if __name__ == "__main__":
    main()
