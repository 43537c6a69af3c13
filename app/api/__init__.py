"""`holdpoint serve`: one picture in, one decision out, over HTTP.

    request ─▶ guard: host, token, room, size ─▶ picture kept whole ─▶ batch of whoever waits ─▶ the line ─▶ answer

Requests that wait at the same time are scored and filed together. Whatever fails after a picture was taken in is
answered with HOLD, never with PASS.
"""

from app.api.routes import PATH, make_app, serve

__all__ = ["PATH", "make_app", "serve"]
