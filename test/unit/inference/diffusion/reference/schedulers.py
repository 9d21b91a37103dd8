"""Trajectories of samplers, computed from their papers' formulas in float64; writes schedulers.json beside this file.

    python3 schedulers.py && npx biome check --write schedulers.json        needs numpy, and nothing of this project or of diffusers

The network is the exact noise of a mixture of two normal distributions, so that no weights are needed. Formulas:
  betas      Ho et al. 2020 (linear), Rombach et al. 2022 (linear in the root), Nichol and Dhariwal 2021 eq. 17 (cosine),
             Lin et al. 2023 algorithm 1 (no signal at the end) and table 2 (which training steps are visited)
  Euler      Karras et al. 2022, algorithm 1, first order: dx/dsigma = (x - D(x; sigma)) / sigma
  sigmas     Karras et al. 2022, eq. 5 with rho = 7, where use_karras_sigmas is set
  ancestral  k-diffusion, get_ancestral_step and sample_euler_ancestral, eta = 1
  DDIM       Song et al. 2020, eq. 12 with sigma = 0
  DPM++ 2M   Lu et al. 2022 (DPM-Solver++), algorithm 2
  LCM        Luo et al. 2023, algorithm 3, with the boundary condition of Song et al. 2023 (consistency models)
"""

import json
from pathlib import Path

import numpy as np

T = 1000
ELEMENTS = 5
WEIGHTS, MEANS, DEVIATIONS = np.array([0.3, 0.7]), np.array([-1.0, 0.5]), np.array([0.2, 0.4])


def signal_shares(config):
    """alpha-bar of each training step."""
    start, end, kind = config.get("beta_start", 0.00085), config.get("beta_end", 0.012), config.get("beta_schedule", "scaled_linear")
    if kind == "linear":
        betas = np.linspace(start, end, T)
    elif kind == "scaled_linear":
        betas = np.linspace(start**0.5, end**0.5, T) ** 2
    else:
        share = np.cos((np.arange(T + 1) / T + 0.008) / 1.008 * np.pi / 2) ** 2
        betas = np.minimum(1 - share[1:] / share[:-1], 0.999)
    shares = np.cumprod(1 - betas)
    if config.get("rescale_betas_zero_snr"):
        root = np.sqrt(shares)
        shares = ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2
        shares[-1] = 2.0**-24  # a number instead of 0, as diffusers has it
    return shares


def visited(config, n, solver=False):
    """Training steps of a sampler; a multistep solver takes one more and leaves out the last, but for trailing."""
    spacing, offset = config["timestep_spacing"], config.get("steps_offset", 0)
    if spacing == "trailing":
        return np.round(np.arange(T, 0, -T / n)) - 1
    points = n + 1 if solver else n
    times = np.linspace(0, T - 1, points) if spacing == "linspace" else np.arange(points) * (T // points) + offset
    times = np.round(times) if solver else times
    return times[::-1][:n]


def noise_of(x, alpha, sigma):
    """The noise in x = alpha * picture + sigma * noise that a perfect network predicts: -sigma * d log p(x) / dx."""
    x = np.asarray(x)[:, None]
    means, variances = alpha * MEANS, (alpha * DEVIATIONS) ** 2 + sigma**2
    logs = np.log(WEIGHTS) - 0.5 * np.log(variances) - (x - means) ** 2 / (2 * variances)
    shares = np.exp(logs - logs.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    return sigma * (shares * (x - means) / variances).sum(1)


class Recorder:
    """Calls the network as a sampler does, and keeps what it was given."""

    def __init__(self, shares):
        self.shares, self.inputs, self.times = shares, [], []

    def __call__(self, x, time, spread=None, prediction="epsilon"):
        """Predicted noise and picture at a time, which may lie between two training steps for Euler: there sigma is linear.
        A sampler whose own sigma, `spread`, is not that of the time reads the picture from the output by its own.
        """
        below = int(np.floor(time))
        above = min(below + 1, T - 1)
        low, high = (np.sqrt((1 - self.shares[i]) / self.shares[i]) for i in (below, above))
        trained = low + (high - low) * (time - below)
        alpha, sigma = 1 / np.sqrt(1 + trained**2), trained / np.sqrt(1 + trained**2)
        self.inputs.append(list(map(float, x)))
        self.times.append(float(time))
        noise = noise_of(x, alpha, sigma)
        picture = (x - sigma * noise) / alpha
        if spread is None or prediction == "sample":
            return noise, picture
        velocity = alpha * noise - sigma * picture
        own_alpha, own_sigma = 1 / np.sqrt(1 + spread**2), spread / np.sqrt(1 + spread**2)
        return noise, own_alpha * x - own_sigma * velocity if prediction == "v_prediction" else (x - own_sigma * noise) / own_alpha


def karras(highest, lowest, n, shares):
    """Levels evenly in the 7th root of sigma, and the training steps that have them, by interpolation in log sigma."""
    i = np.arange(n)
    sigmas = (highest ** (1 / 7) + i / max(n - 1, 1) * (lowest ** (1 / 7) - highest ** (1 / 7))) ** 7
    return sigmas, np.interp(np.log(sigmas), 0.5 * np.log((1 - shares) / shares), np.arange(T))


def final_spread(config, shares):
    return float(np.sqrt((1 - shares[0]) / shares[0])) if config.get("final_sigmas_type") == "sigma_min" else 0.0


def sample_euler(config, n, draws, network, ancestral=False):
    times = visited(config, n)
    sigmas = [float(np.interp(t, np.arange(T), np.sqrt((1 - network.shares) / network.shares))) for t in times]
    if config.get("use_karras_sigmas") and not ancestral:
        sigmas, times = karras(config.get("sigma_max", sigmas[0]), config.get("sigma_min", sigmas[-1]), n, network.shares)
    sigmas = [*sigmas, final_spread(config, network.shares)]
    x = draws[0] * (np.sqrt(sigmas[0] ** 2 + 1) if config["timestep_spacing"] == "leading" else sigmas[0])
    for i, t in enumerate(times):
        s, after = sigmas[i], sigmas[i + 1]
        _, picture = network(x / np.sqrt(s**2 + 1), t, s, config.get("prediction_type", "epsilon"))
        slope = (x - picture) / s
        if ancestral:
            up = min(after, (after**2 * (s**2 - after**2) / s**2) ** 0.5)
            down = (after**2 - up**2) ** 0.5
            x = x + slope * (down - s) + draws[i + 1] * up
        else:
            x = x + slope * (after - s)
    return x


def sample_ddim(config, n, draws, network):
    times = np.round(visited(config, n)).astype(int)
    x = draws[0]
    for i, t in enumerate(times):
        last = 1.0 if config.get("set_alpha_to_one", True) else network.shares[0]
        after = network.shares[times[i + 1]] if i + 1 < n else last
        noise, picture = network(x, t)
        x = np.sqrt(after) * picture + np.sqrt(1 - after) * noise
    return x


def sample_dpm(config, n, draws, network):
    times = visited(config, n, solver=True).astype(int)
    end = final_spread(config, network.shares)
    spreads = np.sqrt((1 - network.shares[times]) / network.shares[times])
    if config.get("use_karras_sigmas"):
        noisiest, cleanest = (np.sqrt((1 - share) / share) for share in network.shares[[-1, 0]])
        spreads, times = karras(noisiest, cleanest, n, network.shares)
        times = np.round(times).astype(int)
    spreads = np.append(spreads, end)
    alphas, sigmas = 1 / np.sqrt(1 + spreads**2), spreads / np.sqrt(1 + spreads**2)
    with np.errstate(divide="ignore"):
        half_log_snr = np.log(alphas) - np.log(sigmas)
    x, before = draws[0], None
    for i, t in enumerate(times):
        _, picture = network(x, t, spreads[i], config.get("prediction_type", "epsilon"))
        h = half_log_snr[i + 1] - half_log_snr[i]
        first_order = before is None or np.isinf(h) or (i == n - 1 and n < 15)
        if first_order:
            direction = picture
        else:
            r = (half_log_snr[i] - half_log_snr[i - 1]) / h
            direction = (1 + 1 / (2 * r)) * picture - 1 / (2 * r) * before
        x = sigmas[i + 1] / sigmas[i] * x - alphas[i + 1] * np.expm1(-h) * direction
        before = picture
    return x


def sample_lcm(config, n, draws, network):
    distilled, scaling, data = config.get("original_inference_steps", 50), config.get("timestep_scaling", 10.0), 0.5
    grid = (np.arange(1, distilled + 1) * (T // distilled) - 1)[::-1]
    times = grid[np.floor(np.linspace(0, len(grid), n, endpoint=False)).astype(int)]
    x = draws[0]
    for i, t in enumerate(times):
        _, picture = network(x, t)
        scaled = t * scaling
        jump = data**2 / (scaled**2 + data**2) * x + scaled / np.sqrt(scaled**2 + data**2) * picture
        if i == n - 1:
            return jump
        share = network.shares[times[i + 1]]
        x = np.sqrt(share) * jump + np.sqrt(1 - share) * draws[i + 1]


SAMPLERS = {
    "euler": sample_euler,
    "euler-ancestral": lambda *a: sample_euler(*a, ancestral=True),
    "ddim": sample_ddim,
    "dpm-solver++": sample_dpm,
    "lcm": sample_lcm,
}

LEADING = {"timestep_spacing": "leading", "steps_offset": 1}
CASES = [
    ("euler", 10, LEADING),
    ("euler", 4, {"timestep_spacing": "trailing"}),
    ("euler", 7, {"timestep_spacing": "linspace", "prediction_type": "v_prediction"}),
    ("euler", 6, {**LEADING, "beta_schedule": "squaredcos_cap_v2", "final_sigmas_type": "sigma_min"}),
    ("euler-ancestral", 8, LEADING),
    ("euler-ancestral", 4, {"timestep_spacing": "trailing"}),
    ("euler-ancestral", 5, {"timestep_spacing": "linspace", "prediction_type": "v_prediction"}),
    ("ddim", 10, {**LEADING, "set_alpha_to_one": False}),
    ("ddim", 8, {"timestep_spacing": "trailing", "prediction_type": "v_prediction", "rescale_betas_zero_snr": True}),
    ("ddim", 7, {"timestep_spacing": "linspace", "prediction_type": "sample", "beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02}),
    ("ddim", 16, {"timestep_spacing": "trailing"}),
    ("dpm-solver++", 10, LEADING),
    ("dpm-solver++", 20, {"timestep_spacing": "linspace"}),
    ("dpm-solver++", 8, {"timestep_spacing": "trailing", "prediction_type": "v_prediction"}),
    ("dpm-solver++", 20, {**LEADING, "final_sigmas_type": "sigma_min"}),
    ("dpm-solver++", 6, {**LEADING, "final_sigmas_type": "sigma_min"}),
    ("lcm", 4, LEADING),
    ("lcm", 1, LEADING),
    ("lcm", 8, {**LEADING, "prediction_type": "v_prediction"}),
    ("euler", 10, {**LEADING, "use_karras_sigmas": True}),
    ("euler", 6, {"timestep_spacing": "trailing", "prediction_type": "v_prediction", "use_karras_sigmas": True, "sigma_min": 0.1, "sigma_max": 10.0}),
    ("euler-ancestral", 4, {"timestep_spacing": "trailing", "use_karras_sigmas": True}),
    ("dpm-solver++", 10, {**LEADING, "use_karras_sigmas": True}),
    ("dpm-solver++", 20, {"timestep_spacing": "linspace", "prediction_type": "v_prediction", "use_karras_sigmas": True, "final_sigmas_type": "sigma_min"}),
    ("dpm-solver++", 1, {**LEADING, "use_karras_sigmas": True}),
]


def check_orders():
    """The formulas above solve the ODE: against the exact solution for one normal distribution, at training step 200."""
    global WEIGHTS, MEANS, DEVIATIONS
    kept = WEIGHTS, MEANS, DEVIATIONS
    WEIGHTS, MEANS, DEVIATIONS = np.array([1.0]), np.array([0.7]), np.array([0.5])
    config = {"timestep_spacing": "leading"}
    shares = signal_shares(config)
    scale = lambda t: np.sqrt(shares[t] * 0.25 + 1 - shares[t])
    for name, order, counts in [("euler", 1, (100, 200)), ("ddim", 1, (100, 200)), ("dpm-solver++", 2, (99, 199))]:
        errors = []
        for n in counts:
            network = Recorder(shares)
            SAMPLERS[name](config, n, np.full((n + 1, 1), 0.8), network)
            at, start = network.times.index(200), int(network.times[0])
            z = (network.inputs[0][0] - np.sqrt(shares[start]) * 0.7) / scale(start)
            errors.append(abs(network.inputs[at][0] - (np.sqrt(shares[200]) * 0.7 + scale(200) * z)))
        ratio = errors[0] / errors[1]
        print(f"{name}: errors {errors[0]:.3g} and {errors[1]:.3g}, ratio {ratio:.2f}")
        assert abs(ratio / 2**order - 1) < 0.1, name
    WEIGHTS, MEANS, DEVIATIONS = kept


def main():
    check_orders()
    rng = np.random.default_rng(2024)
    cases = []
    for name, n, config in CASES:
        draws = np.round(rng.standard_normal((n + 1, ELEMENTS)), 6)
        network = Recorder(signal_shares(config))
        end = SAMPLERS[name](config, n, draws, network)
        cases.append({"scheduler": name, "steps": n, "config": config, "draws": draws.tolist(), "timesteps": network.times, "inputs": network.inputs, "end": end.tolist()})
    mixture = {"weights": WEIGHTS.tolist(), "means": MEANS.tolist(), "deviations": DEVIATIONS.tolist()}
    lines = ",\n".join("  " + json.dumps(case) for case in cases)
    text = f'{{\n "mixture": {json.dumps(mixture)},\n "cases": [\n{lines}\n ]\n}}\n'
    (Path(__file__).parent / "schedulers.json").write_text(text)


if __name__ == "__main__":
    main()
