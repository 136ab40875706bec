"""The server around the pages: the gate, sign-in, limits of uploads and memory."""
