"""All that queues, limits and serves: the engine and its workers, hosting, the web server.

In come requests of many; out go results and files, one at a time.
Imports every room but ``dashboard`` and ``cli``; ``import oversmooth`` never loads it.
"""
