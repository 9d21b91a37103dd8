/** Takes audio in pieces and gives it at another rate. */
export interface Resampler {
  /** The output samples that are certain by now. */
  push(samples: Float32Array): Float32Array
  /** The rest, as if silence followed. */
  flush(): Float32Array
}

/** Zero crossings of the kernel on each side, and the Kaiser window's shape: 90 dB of attenuation beyond the pass band. */
const zeroCrossings = 24
const kaiserBeta = 9
/** The part of the lower Nyquist band that passes; the rest is the filter's slope. */
const rolloff = 0.93

/**
 * A resampler from one rate to another by a Kaiser-windowed sinc, a kernel per phase of the reduced ratio (Smith, "Digital Audio
 * Resampling", ccrma.stanford.edu/~jos/resample). Output sample `i` lies at the time of input sample `i × from / to`.
 */
export function createResampler(from: number, to: number): Resampler {
  if (from === to) return { push: (samples) => samples, flush: () => new Float32Array(0) }
  const divisor = findCommonDivisor(from, to)
  const [step, phases] = [from / divisor, to / divisor]
  const kernels = createKernels(phases, Math.min(1, to / from) * rolloff)
  const half = (kernels.length / phases - 1) / 2
  // Starts as if silence came before; `start` is the input position of its first sample.
  let pending = new Float32Array(half)
  let start = -half
  let produced = 0
  let received = 0
  const produce = (): Float32Array => {
    const output: number[] = []
    for (; ; produced++) {
      const position = Math.floor((produced * step) / phases)
      const first = position - half - start
      if (first + 2 * half + 1 > pending.length || position >= received) break
      output.push(convolve(pending, first, kernels, ((produced * step) % phases) * (2 * half + 1), 2 * half + 1))
    }
    const drop = Math.min(pending.length, Math.max(0, Math.floor((produced * step) / phases) - half - start))
    pending = pending.slice(drop)
    start += drop
    return Float32Array.from(output)
  }
  const append = (samples: Float32Array) => {
    const joined = new Float32Array(pending.length + samples.length)
    joined.set(pending)
    joined.set(samples, pending.length)
    pending = joined
  }
  return {
    push: (samples) => {
      received += samples.length
      append(samples)
      return produce()
    },
    flush: () => {
      append(new Float32Array(half + 1))
      return produce()
    },
  }
}

function convolve(samples: Float32Array, first: number, kernels: Float32Array, kernelStart: number, taps: number): number {
  let sum = 0
  for (let tap = 0; tap < taps; tap++) sum += (samples[first + tap] as number) * (kernels[kernelStart + tap] as number)
  return sum
}

/** float32[phases, taps]: the kernel of phase `p` is centred at `p / phases` beyond the middle tap; each passes a constant unchanged. */
function createKernels(phases: number, cutoff: number): Float32Array {
  const half = Math.ceil(zeroCrossings / cutoff)
  const taps = 2 * half + 1
  const kernels = new Float32Array(phases * taps)
  const windowScale = 1 / besselI0(kaiserBeta)
  for (let phase = 0; phase < phases; phase++) {
    let sum = 0
    const row = kernels.subarray(phase * taps, (phase + 1) * taps)
    for (let tap = 0; tap < taps; tap++) {
      const distance = tap - half - phase / phases
      const inWindow = 1 - (distance / (half + 1)) ** 2
      const angle = Math.PI * distance * cutoff
      const sinc = angle === 0 ? 1 : Math.sin(angle) / angle
      const value = sinc * besselI0(kaiserBeta * Math.sqrt(inWindow)) * windowScale
      row[tap] = value
      sum += value
    }
    for (let tap = 0; tap < taps; tap++) row[tap] = (row[tap] as number) / sum
  }
  return kernels
}

/** Modified Bessel function of the first kind and order 0, by its series. */
function besselI0(x: number): number {
  let sum = 1
  let term = 1
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}

function findCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : findCommonDivisor(b, a % b)
}
