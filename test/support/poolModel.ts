import { divide, floor, isAtMost, multiply, toFraction } from './fraction.ts'

/** A pool as SharePool's documentation has it: shares against assets, with 10^6 virtual shares against 1 virtual wei. */
export interface PoolModel {
  assetsWei: bigint
  shares: bigint
  generation: bigint
}

const virtualShares = 1_000_000n
const freshPrice = toFraction(1n, virtualShares)
/** The part of a fresh pool's price below which a slash empties the pool. */
const leastPrice = divide(freshPrice, toFraction(4_096n))

export function createPool(): PoolModel {
  return { assetsWei: 0n, shares: 0n, generation: 0n }
}

/** Wei that `shares` are worth, rounded down. */
export function toAssets(pool: PoolModel, shares: bigint): bigint {
  return floor(multiply(toFraction(shares), getPrice(pool)))
}

/** Adds `assetsWei`, all of it, and returns the shares that they buy, rounded down. */
export function enterPool(pool: PoolModel, assetsWei: bigint): bigint {
  const shares = floor(divide(toFraction(assetsWei), getPrice(pool)))
  pool.assetsWei += assetsWei
  pool.shares += shares
  return shares
}

/** Sells as many whole shares as `offeredWei` pays for, at their price rounded up to a wei. */
export function sellShares(pool: PoolModel, offeredWei: bigint): { shares: bigint; paidWei: bigint } {
  const shares = floor(divide(toFraction(offeredWei), getPrice(pool)))
  const paidWei = -floor(multiply(toFraction(-shares), getPrice(pool)))
  pool.assetsWei += paidWei
  pool.shares += shares
  return { shares, paidWei }
}

/** Takes out what `shares` are worth. Who leaves last leaves rounding dust behind, which the pool then gives up. */
export function exitPool(pool: PoolModel, shares: bigint): { amountWei: bigint; dustWei: bigint } {
  const amountWei = toAssets(pool, shares)
  pool.assetsWei -= amountWei
  pool.shares -= shares
  const dustWei = pool.shares === 0n ? pool.assetsWei : 0n
  pool.assetsWei -= dustWei
  return { amountWei, dustWei }
}

/** Takes `assetsWei` from all shares alike and returns it, or all there is where the price falls below its floor. */
export function lowerPool(pool: PoolModel, assetsWei: bigint): bigint {
  pool.assetsWei -= assetsWei
  if (isAtMost(leastPrice, getPrice(pool))) return assetsWei
  const takenWei = assetsWei + pool.assetsWei
  pool.assetsWei = 0n
  pool.shares = 0n
  pool.generation += 1n
  return takenWei
}

function getPrice(pool: PoolModel) {
  return toFraction(pool.assetsWei + 1n, pool.shares + virtualShares)
}
