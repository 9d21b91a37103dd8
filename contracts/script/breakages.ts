/** What contracts/script/mutate.ts breaks, and what must turn red for it. */
import { court } from './breakages/court.ts'
import { network } from './breakages/network.ts'
import { payments } from './breakages/payments.ts'
import { randomness } from './breakages/randomness.ts'
import { staking } from './breakages/staking.ts'

/** One line of the contracts, broken. */
export type Breakage = {
  /** What is broken, in words. */
  name: string
  /** The line as it is: must occur exactly once in the file. */
  from: string
  /** The line as broken. */
  to: string
  /** Tests by function name, invariants by the name their message begins with; all of them must fail, of `a|b` one. Without any: some test. */
  red: string[]
}

/** Breakages that the same tests must see. */
export type Suite = {
  name: string
  /** Patterns of test files, from contracts/test: these and what they import are compiled for each breakage. */
  tests: string[]
  /** The breakages of each file, by its path from the root. */
  files: [string, Breakage[]][]
  /** Each of these must have been red for some breakage of the suite. */
  invariants: string[]
}

export const suites: Suite[] = [staking, payments, court, randomness, network]
