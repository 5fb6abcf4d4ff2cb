"""The facts every room shares: plain dataclasses and columns, no input or output."""
