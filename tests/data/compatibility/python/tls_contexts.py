"""A TLS context can be made, and two ends of it talk to each other in memory."""
import json
import ssl

facts = {"version": ssl.OPENSSL_VERSION}
context = ssl.create_default_context()
facts["verify"] = [str(context.verify_mode), context.check_hostname, str(context.minimum_version)]
facts["protocols"] = context.protocol.name
facts["ciphers"] = sorted(cipher["name"] for cipher in context.get_ciphers())[:3]
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
client = context.wrap_bio(incoming, outgoing, server_hostname="example.com")
try:
    client.do_handshake()
except ssl.SSLWantReadError:
    facts["hello"] = outgoing.pending > 100
try:
    context.load_cert_chain("missing.pem")
except FileNotFoundError as error:
    facts["missing"] = error.errno
unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
unverified.check_hostname = False
unverified.verify_mode = ssl.CERT_NONE
assert facts["hello"]
print(json.dumps(facts))
