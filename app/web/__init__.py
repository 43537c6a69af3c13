"""The server's own half: sign-in, pictures and downloads by route, and the guard before everything."""
