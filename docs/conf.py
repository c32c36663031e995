"""Sphinx configuration."""

from sodiophile._version import __version__

project = "sodiophile"
author = "the sodiophile developers"
copyright = "2026, the sodiophile developers"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax", "numpydoc"]
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
numpydoc_show_class_members = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"
html_title = "sodiophile"
html_theme_options = {"show_prev_next": False}
html_static_path = []
nitpicky = False
