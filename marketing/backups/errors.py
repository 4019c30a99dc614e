class BackupError(Exception):
    """Nothing can be done with this; the text is for the person at the terminal."""
