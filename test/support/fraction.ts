/** An exact rational number, n / d with d above zero. A plain object, so that a structured clone keeps it. */
export interface Fraction {
  readonly n: bigint
  readonly d: bigint
}

export const zero: Fraction = { n: 0n, d: 1n }

/** n / d in lowest terms. */
export function toFraction(n: bigint, d = 1n): Fraction {
  if (d === 0n) throw new RangeError('a fraction over zero')
  if (d === 1n) return { n, d }
  const sign = d < 0n ? -1n : 1n
  const divisor = findDivisor(n < 0n ? -n : n, d * sign) * sign
  return { n: n / divisor, d: d / divisor }
}

export function add(a: Fraction, b: Fraction): Fraction {
  return a.d === b.d ? toFraction(a.n + b.n, a.d) : toFraction(a.n * b.d + b.n * a.d, a.d * b.d)
}

export function subtract(a: Fraction, b: Fraction): Fraction {
  return add(a, { n: -b.n, d: b.d })
}

export function multiply(a: Fraction, b: Fraction): Fraction {
  return toFraction(a.n * b.n, a.d * b.d)
}

export function divide(a: Fraction, b: Fraction): Fraction {
  return toFraction(a.n * b.d, a.d * b.n)
}

/** The greatest integer that is not above `a`. */
export function floor(a: Fraction): bigint {
  const quotient = a.n / a.d
  return a.n < 0n && quotient * a.d !== a.n ? quotient - 1n : quotient
}

/** The greatest multiple of 1 / `parts` that is not above `a`. */
export function floorTo(a: Fraction, parts: bigint): Fraction {
  return toFraction(floor({ n: a.n * parts, d: a.d }), parts)
}

/** Whether a <= b. */
export function isAtMost(a: Fraction, b: Fraction): boolean {
  return a.n * b.d <= b.n * a.d
}

export function isEqual(a: Fraction, b: Fraction): boolean {
  return a.n * b.d === b.n * a.d
}

/** `3`, or `7/256` */
export function formatFraction(a: Fraction): string {
  return a.d === 1n ? String(a.n) : `${a.n}/${a.d}`
}

function findDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b]
  while (y !== 0n) [x, y] = [y, x % y]
  return x
}
