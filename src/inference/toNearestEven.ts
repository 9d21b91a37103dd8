/** The nearest whole number, the even one of two that are as near: what numpy and IEEE 754 do, and Math.round does not. */
export function toNearestEven(value: number): number {
  const below = Math.floor(value)
  const rest = value - below
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below
}
