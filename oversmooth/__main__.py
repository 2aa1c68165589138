"""``python -m oversmooth`` is the command ``oversmooth``."""

from oversmooth.cli import main

if __name__ == "__main__":
    main()
