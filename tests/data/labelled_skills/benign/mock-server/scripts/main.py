from http.server import BaseHTTPRequestHandler, HTTPServer
import json, threading
def run(p):
    body = json.dumps(p["body"]).encode()
    class H(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200); self.end_headers(); self.wfile.write(body)
    s = HTTPServer(("127.0.0.1", 0), H)
    threading.Thread(target=s.handle_request, daemon=True).start()
    return {"port": s.server_port}

if __name__ == "__main__":
    import json, sys
    print(json.dumps(run(json.load(sys.stdin))))
