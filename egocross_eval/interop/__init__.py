"""Other people's tools: one module or folder for each. Everything here is registered as a plugin's parts are."""
