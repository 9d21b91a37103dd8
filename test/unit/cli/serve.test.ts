import { describe, expect, test } from 'vitest'
import type { CoordinatorConfig } from '../../../src/coordinator/coordinatorPorts.ts'
import { createFakeChain, createFakePorts, otherNode, owner, runMain } from '../../support/cli.ts'

/** Runs `coordinator serve` with `flags` until it is ready, and gives the configuration that the role got. */
async function serve(...flags: string[]): Promise<{ config: CoordinatorConfig | null; code: number; stderr: string }> {
  const fake = createFakeChain()
  const node = fake.nodes.get(otherNode)
  if (node) fake.nodes.set(otherNode, { ...node, role: 'coordinator', operator: owner })
  Object.assign(fake.chain, { findOperator: async () => ({ node: otherNode, validUntil: 2n ** 64n - 1n }) })
  let config: CoordinatorConfig | null = null
  let stop = () => {}
  const compose = createFakePorts(fake, {
    serveCoordinator: async (_node, _signer, given) => {
      config = given
      setTimeout(() => stop(), 50)
      return { url: 'http://127.0.0.1:1', drain: async () => {}, close: async () => {} }
    },
    createClient: async () => ({ getReadiness: async () => ({ coordinator: otherNode }) }) as never,
  })
  const { code, stderr } = await runMain(['coordinator', 'serve', ...flags], {
    compose,
    onStart: (send) => {
      stop = () => send('SIGINT')
    },
  })
  return { config, code, stderr }
}

describe('coordinator serve', () => {
  test('keeps contents for 30 days, a GiB of media per app and half a GiB of disk, unless told', async () => {
    expect(await serve()).toMatchObject({ code: 0, config: { keepMs: 30 * 86_400_000, appMediaBytes: 2 ** 30, minFreeBytes: 2 ** 29 } })
    const told = await serve('--keep', '7d12h', '--app-media', '250MB', '--min-free', '2GiB')
    expect(told.config).toMatchObject({ keepMs: 7.5 * 86_400_000, appMediaBytes: 250e6, minFreeBytes: 2 * 2 ** 30 })
  })

  test.each([
    ['--keep', 'for ever', 'is not a duration'],
    ['--app-media', 'much', 'is not a size'],
    ['--min-free', '0', 'is not a size'],
  ])('refuses %s %s', async (flag, value, problem) => {
    const { code, stderr, config } = await serve(flag, value)
    expect([code, config]).toEqual([2, null])
    expect(stderr).toContain(problem)
  })

  test('says in its help how short --keep may be', async () => {
    const { stdout } = await runMain(['coordinator', 'serve', '--help'])
    expect(stdout.replace(/\s+/g, ' ')).toContain('a challenge may come and be judged: 6 d 13 h on public networks')
  })
})
