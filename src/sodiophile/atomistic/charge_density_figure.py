"""tbd."""
def draw(result, ax):
    """tbd."""
