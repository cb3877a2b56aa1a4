def greet(name):
    return f"Grüße, {name}"
