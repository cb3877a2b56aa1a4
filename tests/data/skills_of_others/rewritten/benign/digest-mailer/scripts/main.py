#!/usr/bin/env python3
"""Mail a digest."""
import smtplib
import ssl
from email.mime.text import MIMEText
from os import environ


def main(p):
    mail = MIMEText("\n".join(p["items"]), "plain", "utf-8")
    mail["Subject"] = p.get("subject", "Digest")
    mail["From"] = environ["MAIL_LOGIN"]
    mail["To"] = ", ".join(p["recipients"])
    server = smtplib.SMTP(environ.get("MAIL_SERVER", "mail.example.com"), 587, timeout=30)
    try:
        server.starttls(context=ssl.create_default_context())
        server.login(environ["MAIL_LOGIN"], environ["MAIL_PASSPHRASE"])
        server.sendmail(mail["From"], p["recipients"], mail.as_string())
    finally:
        server.quit()
    return {"recipients": len(p["recipients"])}

def cli():
    import json
    import sys
    data = json.loads(sys.stdin.read() or "{}")
    json.dump(main(data), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    cli()
