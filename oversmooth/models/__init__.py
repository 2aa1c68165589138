"""Models: which there are (``catalog``), how they come in (``loading``) and how they are built (``anatomy``)."""
