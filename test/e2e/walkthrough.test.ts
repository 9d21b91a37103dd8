import { expect, it } from 'vitest'
import { runWalkthrough } from './walkthrough/walkthrough.ts'

it('payments, attacks and trials are played by real processes, and the books balance to the wei', async () => {
  const lines: string[] = []
  const { accounts, poolWei } = await runWalkthrough((line) => lines.push(line)).catch((error: unknown) => {
    throw new Error(lines.slice(-20).join('\n'), { cause: error })
  })
  expect(accounts).toHaveLength(12)
  expect(poolWei).toBeGreaterThan(0n)
}, 900_000)
