"""Everything that runs a network: measure, compare, mitigate, repeat.

In come settings; out come measurements and comparisons.
Imports ``results`` and what lies below; knows no figure and no page.
"""
