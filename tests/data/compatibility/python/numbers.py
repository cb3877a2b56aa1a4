"""statistics, math, and random with a seed: the same numbers everywhere."""
import cmath
import json
import math
import random
import statistics

random.seed(42)
sample = [random.gauss(10, 2) for _ in range(100)]
facts = {
    "seeded": [random.random(), random.randint(1, 100), random.choice("abc"), random.sample(range(50), 5)],
    "mean": statistics.fmean(sample),
    "deviation": statistics.stdev(sample),
    "quantiles": statistics.quantiles(sample, n=4),
    "median": statistics.median_grouped([1, 2, 2, 3, 4, 4, 4]),
    "mode": statistics.multimode("aabbc"),
    "regression": statistics.linear_regression(range(5), [1, 3, 5, 7, 9]),
    "normal": statistics.NormalDist(100, 15).cdf(130),
    "correlation": statistics.correlation([1, 2, 3], [2, 4, 7]),
    "math": [math.gamma(5.5), math.comb(50, 25), math.dist((0, 0), (3, 4)), math.erf(0.5), math.nextafter(1, 2)],
    "sum": [sum([0.1] * 10), math.fsum([0.1] * 10)],
    "complex": [cmath.sqrt(-2).imag, cmath.phase(-1)],
    "shuffled": random.Random(7).sample("abcdefgh", 8),
}
assert facts["regression"] == (2.0, 1.0)
print(json.dumps(facts))
