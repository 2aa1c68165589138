"""What the command ``oversmooth`` does: one file for each command or kind of command, all of them thin."""
