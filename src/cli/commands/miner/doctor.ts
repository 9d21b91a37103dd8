import { join } from 'node:path'
import { z } from 'zod'
import { deviceNames } from '../../../domain/enginePort.ts'
import { defineCommand } from '../../defineCommand.ts'
import type { Check } from '../../doctor/check.ts'
import { listDeviceChecks, listMachineChecks } from '../../doctor/machineChecks.ts'
import { listNetworkChecks } from '../../doctor/networkChecks.ts'

const marks = { ok: ['green', 'ok'], warn: ['yellow', 'warn'], fail: ['red', 'FAIL'], skipped: ['dim', '-'] } as const

export const minerDoctor = defineCommand({
  description: `Checks what a miner needs on this machine and this network: devices and drivers, memory,
disk, key, registration, bond, coordinators, clock. Changes nothing and asks nothing. Ends
with the first failure's exit code, or with 0.`,
  examples: [
    { command: 'cuckoo miner doctor --account alice-op', note: 'everything' },
    { command: 'cuckoo miner doctor --device cuda', note: 'a device that has to be there' },
  ],
  args: z.object({}),
  options: z.object({
    device: z
      .enum(['auto', ...deviceNames])
      .default('auto')
      .describe('the device that the miner will be told to use')
      .meta({ placeholder: 'device' }),
  }),
  output: z.object({
    checks: z.array(z.object({ name: z.string(), state: z.enum(['ok', 'warn', 'fail', 'skipped']), detail: z.string(), fix: z.string().nullable() })),
  }),
  async run({ options }, context) {
    const spinner = await context.output.spin('trying the devices')
    let checks: Check[]
    try {
      const [engine, tools] = [await context.ports.getEngine(), await context.ports.getEngineTools()]
      const { home, modelsCache } = context.config.values
      const devices = await listDeviceChecks(engine, tools, options.device)
      const machine = await listMachineChecks({ engine, cacheDirectory: modelsCache ?? join(home, 'models') })
      spinner.update('asking the chain and the coordinators')
      checks = [...machine, ...devices, ...(await listNetworkChecks(context))]
    } finally {
      spinner.stop()
    }
    context.emit({ checks: checks.map(({ name, state, detail, fix }) => ({ name, state, detail, fix })) })
    const failed = checks.find(({ error }) => error !== null)
    if (failed?.error) throw failed.error
    return undefined
  },
  view({ checks }, screen) {
    const width = Math.max(...checks.map(({ name }) => name.length))
    for (const { name, state, detail, fix } of checks) {
      const [style, mark] = marks[state]
      screen.line(`${screen.style(style, mark.padEnd(4))}  ${name.padEnd(width)}  ${detail}`)
      if (fix !== null && state !== 'ok') screen.line(`${' '.repeat(width + 8)}${state === 'skipped' ? screen.style('dim', fix) : fix}`)
    }
  },
})
