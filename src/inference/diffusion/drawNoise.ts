import { mix32, toPositionState } from '../../domain/sampling.ts'

/** More draws than an image has steps */
const drawsPerImage = 65_536

/**
 * Standard normal noise, float32[`length`]: a function of (seed, image, draw, element). Draw 0 starts an image, the others
 * belong to its steps. Elements 2k and 2k + 1 are one Box–Muller pair of two hashed uniforms, (h + 0.5) / 2^32, in float64 and
 * then rounded. Every machine has the same hashes; logarithm and circle functions may differ by their last bit from one
 * JavaScript engine to another, which the rounding to float32 nearly always hides.
 * @example drawNoise(42n, { image: 0, draw: 0 }, 2) // Float32Array [0.48984…, 0.48037…]
 */
export function drawNoise(seed: bigint, { image, draw }: { image: number; draw: number }, length: number): Float32Array {
  const state = toPositionState(seed, image * drawsPerImage + draw)
  const uniformAt = (element: number) => ((mix32(state ^ Math.imul(element + 1, 0x165667b1)) >>> 0) + 0.5) / 2 ** 32
  const noise = new Float32Array(length)
  for (let element = 0; element < length; element += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniformAt(element)))
    const angle = 2 * Math.PI * uniformAt(element + 1)
    noise[element] = radius * Math.cos(angle)
    if (element + 1 < length) noise[element + 1] = radius * Math.sin(angle)
  }
  return noise
}
