#!/usr/bin/env python3
"""Sentiment scores."""
import torch
from torch import nn


class Classifier(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(width, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, x):
        return torch.sigmoid(self.net(x))


def main(p):
    x = torch.tensor(p["features"])
    model = Classifier(x.shape[1])
    state = torch.load(p["weights"], map_location="cpu", weights_only=True)
    model.load_state_dict(state)
    model.eval()
    with torch.inference_mode():
        return {"scores": model(x).squeeze(1).tolist()}

if __name__ == "__main__":
    import json
    import sys
    print(json.dumps(main(json.load(sys.stdin))))
