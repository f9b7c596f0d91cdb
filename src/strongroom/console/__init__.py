"""The web console: pages for people, made on the server. Refuses to know rows, engines and hosts."""
