import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { runMain } from '../support/cli.ts'

const home = mkdtempSync(join(tmpdir(), 'cuckoo-faults-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

// Out of memory, the other half of this fault, is in batching.test.ts.
it.each(['cuda', 'dml'] as const)('fault 30: --device %s that is missing ends with the next step, never on the CPU', async (device) => {
  const { probeDevices } = await import('../../src/inference/devices.ts')
  const found = (await probeDevices()).find((probed) => probed.device === device)
  const run = await runMain(['miner', 'bench', '--model', 'cuckoo/storyteller', '--device', device, '--rounds', '1', '--json'], { env: { CUCKOO_HOME: home } })
  if (found?.available) {
    expect(JSON.parse(run.stdout)).toMatchObject({ reports: [{ device }] })
    return
  }
  expect({ code: run.code, stdout: run.stdout }).toEqual({ code: 78, stdout: '' })
  expect(JSON.parse(run.stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({
    error: {
      code: 'CUCKOO_DEVICE_UNAVAILABLE',
      kind: 'config',
      facts: { device, reason: found?.detail },
      hint: expect.stringMatching(/--device (webgpu|cpu)/),
    },
  })
})
