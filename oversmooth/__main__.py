"""``python -m oversmooth`` and the command ``oversmooth``."""

from oversmooth.cli import interrupts


def main() -> None:
    """Run the command line; Ctrl-C and SIGTERM end it from its first moment on."""
    interrupts.end_at_once()
    # Only now: both may well come while this is imported.
    from oversmooth.cli import main as cli

    cli.main()


if __name__ == "__main__":
    main()
