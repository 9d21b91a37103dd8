import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode } from 'fast-png'
import { afterAll, describe, expect, it } from 'vitest'
import { runCuckoo } from '../support/cuckoo.ts'

const home = mkdtempSync(join(tmpdir(), 'cuckoo-e2e-demo-'))
const scratch = mkdtempSync(join(tmpdir(), 'cuckoo-e2e-demo-tmp-'))
afterAll(() => {
  for (const folder of [home, scratch]) rmSync(folder, { recursive: true, force: true })
})

interface Summary {
  chainId: number
  stakingContract: string
  coordinator: string
  miners: { name: string; node: string; bondCai: string; weightCai: string; tasks: number; taskShare: number; weightShare: number }[]
  texts: { prompt: string; text: string; task: string; miner: string }[]
  tasks: number
  receipt: { task: string; verified: boolean; checks: { name: string; ok: boolean }[] }
}

interface ImageSummary extends Omit<Summary, 'texts' | 'tasks'> {
  images: { prompt: string; task: string; miner: string; name: string; sha256: string }[]
  sheet: string
  payments: { owedCai: string; voucherCai: string }[]
}

describe('cuckoo demo', () => {
  it('--image lets the network draw a dozen images, and keeps them in one PNG', async () => {
    const sheet = join(home, 'sheet.png')
    const run = await runCuckoo(['demo', '--image', '--out', sheet, '--json'], { home, env: { TMPDIR: scratch }, timeoutMs: 200_000 })
    expect([run.stderr, run.code]).toEqual(['', 0])
    const summary = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '') as ImageSummary
    expect(summary.images).toHaveLength(12)
    expect(new Set(summary.images.map(({ sha256 }) => sha256)).size).toBe(12)
    expect(summary.miners.reduce((sum, { tasks }) => sum + tasks, 0)).toBe(12)
    for (const { miner, name } of summary.images) expect(summary.miners.find(({ node }) => node === miner)?.name).toBe(name)
    expect(summary.receipt.verified).toBe(true)
    expect(summary.receipt.checks.at(-1)?.name).toMatch(/^file .*0\.png$/)
    expect(summary.payments.reduce((sum, { voucherCai }) => sum + Number(voucherCai), 0)).toBeGreaterThan(0)
    expect(summary.sheet).toBe(sheet)
    // four columns of 256 pixels with their gaps, and pictures that are no plain areas
    const { width, data } = decode(readFileSync(sheet))
    expect(width).toBe(16 + 4 * (256 + 16))
    expect(new Set(data).size).toBeGreaterThan(100)
    expect(readdirSync(scratch).filter((name) => name.startsWith('cuckoo-'))).toEqual([])
  })

  it('plays the main job with real processes, sums it up as JSON, and leaves nothing behind', async () => {
    const run = await runCuckoo(['demo', '--json'], { home, env: { TMPDIR: scratch }, timeoutMs: 200_000 })
    expect(run.stderr).toBe('')
    expect(run.code).toBe(0)
    const summary = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '') as Summary

    expect(summary.chainId).toBe(31337)
    expect(summary.stakingContract).toMatch(/^0x[0-9a-f]{40}$/)
    expect(summary.miners.map((miner) => miner.bondCai)).toEqual(['21000', '42000', '84000'])
    expect(summary.miners.map((miner) => miner.weightCai)).toEqual(['22000', '44000', '84000'])
    expect(summary.miners.reduce((sum, miner) => sum + miner.tasks, 0)).toBe(summary.tasks)
    expect(summary.tasks).toBe(200)
    // Five standard deviations of a share over 200 draws: red for a draw that ignores stake (a third each), green but for one run in a million.
    for (const miner of summary.miners) {
      const deviation = Math.sqrt((miner.weightShare * (1 - miner.weightShare)) / summary.tasks)
      expect(Math.abs(miner.taskShare - miner.weightShare)).toBeLessThan(5 * deviation)
    }
    expect(summary.texts.length).toBeGreaterThanOrEqual(2)
    for (const { prompt, text } of summary.texts) {
      expect(text.split(/\s+/).length, prompt).toBeGreaterThan(15)
    }
    expect(summary.receipt.verified).toBe(true)
    expect(summary.receipt.checks.every((check) => check.ok)).toBe(true)
    expect(readdirSync(scratch).filter((name) => name.startsWith('cuckoo-'))).toEqual([])
  })

  it('ends the network and removes its home on Ctrl-C', async () => {
    const { startCuckoo } = await import('../support/cuckoo.ts')
    const demo = startCuckoo(['demo'], { home, env: { TMPDIR: scratch } })
    const deadline = Date.now() + 60_000
    while (!readdirSync(scratch).some((name) => name.startsWith('cuckoo-demo-'))) {
      if (Date.now() > deadline) throw new Error('the demo made no home')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    demo.process.kill('SIGINT')
    expect(await demo.exited).toBe(130)
    expect(readdirSync(scratch).filter((name) => name.startsWith('cuckoo-'))).toEqual([])
  })
})
