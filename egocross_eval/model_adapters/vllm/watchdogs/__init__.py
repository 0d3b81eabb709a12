"""What ends the processes of an engine or a server when the process that wants them is gone, however that happened."""
