"""Draws a chart's description: on screen by Plotly, on paper as SVG."""
