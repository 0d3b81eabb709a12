"""The columns of leaderboards, each declared once for all formats and the site: to add one, add it to its kind."""
