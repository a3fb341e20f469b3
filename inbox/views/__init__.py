"""Pages of the desk: selector, one service call, render."""
