"""What every room says and counts with: errors, words and numerals, tokens, points, texts from files.

In come characters and bytes; out go plain values.
Imports no other room, and neither torch nor Streamlit.
"""
