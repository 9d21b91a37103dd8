import { resolve } from 'node:path'
import { z } from 'zod'
import type { DevnetState } from '../../../devnet/devnetState.ts'
import { type DevnetEvent, startDevnet } from '../../../devnet/startDevnet.ts'
import { formatAmount } from '../../../domain/amount.ts'
import { bondThresholdWei } from '../../../domain/node.ts'
import { waitForAbort } from '../../abort.ts'
import { defineCommand } from '../../defineCommand.ts'
import { startDetached } from '../../detached.ts'
import { viewDevnetEvent } from '../../devnetView.ts'
import { foldCommand } from '../../fold.ts'
import { formatCai } from '../../format.ts'
import type { Output } from '../../output.ts'
import { zAmount, zDuration, zInteger } from '../../schemas.ts'
import { getScriptPath } from '../../version.ts'

const zMinerBond = zAmount.refine((bondWei) => bondWei > bondThresholdWei.miner, `is not more than ${formatCai(bondThresholdWei.miner)}`)

export const devnetStart = defineCommand({
  description: `Starts a chain, deploys the contracts, registers a coordinator and three miners, and lets
them work, each as a process of its own. It is the default network of every other
terminal with the same home while it runs. Ctrl-C ends all of it.`,
  examples: [
    { command: 'cuckoo devnet start', note: 'stays in this terminal' },
    { command: 'cuckoo devnet start --detach', note: 'comes back when it is ready' },
  ],
  longRunning: true,
  args: z.object({}),
  options: z.object({
    detach: z.boolean().default(false).describe('leave it running; `devnet stop` ends it'),
    rpcPort: zInteger(0, 65_535).prefault('8545').describe('port of the chain; another when it is taken').meta({ placeholder: 'number' }),
    port: zInteger(0, 65_535).prefault('8420').describe('port of the coordinator; another when it is taken').meta({ placeholder: 'number' }),
    minerBond: z.array(zMinerBond).prefault(['21000', '42000', '84000']).describe("a miner's bond in CAI").meta({ placeholder: 'amount' }),
    thaw: zDuration.optional().describe('how long stake thaws; default: 20m').meta({ placeholder: 'duration' }),
    model: z.array(z.string().min(1)).prefault(['cuckoo/storyteller']).describe('model that the miners offer').meta({ placeholder: 'model' }),
    modelsDir: z.string().optional().describe('folder with models in <owner>/<model>, searched first').meta({ config: 'modelsDir', placeholder: 'dir' }),
  }),
  output: z.looseObject({ event: z.string() }),
  async run({ options }, context) {
    const { home } = context.config.values
    const script = getScriptPath()
    if (options.detach) {
      const state = await startDetached({ home, script, flags: toFlags(options), signal: context.signal })
      return { event: 'ready', detached: true, state }
    }
    const devnet = await startDevnet(
      {
        home,
        script,
        rpcPort: options.rpcPort,
        coordinatorPort: options.port,
        minerBonds: options.minerBond.map(formatAmount),
        thaw: options.thaw === undefined ? undefined : toSeconds(options.thaw),
        models: options.model,
        modelsDir: options.modelsDir === undefined ? undefined : resolve(options.modelsDir),
      },
      ({ type, ...event }) => context.emit({ event: type, ...event }),
      context.signal,
    )
    await waitForAbort(context.signal)
    await devnet.stop()
    return { event: 'stopped' }
  },
  view(value, screen) {
    const { event, ...rest } = value
    if (event === 'stopped') return screen.line('Nothing of the devnet runs any more.')
    if (event !== 'ready') return viewDevnetEvent({ type: event, ...rest } as unknown as DevnetEvent, screen)
    viewReady(value['state'] as DevnetState, screen)
    screen.line(value['detached'] === true ? `\n\`${screen.program} devnet stop\` ends it.` : '\nCtrl-C ends it.')
  },
})

function toFlags(options: {
  rpcPort: number
  port: number
  minerBond: readonly bigint[]
  thaw?: number | undefined
  model: readonly string[]
  modelsDir?: string | undefined
}): string[] {
  return [
    ...['--rpc-port', String(options.rpcPort), '--port', String(options.port)],
    ...options.minerBond.flatMap((bond) => ['--miner-bond', formatAmount(bond)]),
    ...(options.thaw === undefined ? [] : ['--thaw', toSeconds(options.thaw)]),
    ...options.model.flatMap((model) => ['--model', model]),
    ...(options.modelsDir === undefined ? [] : ['--models-dir', resolve(options.modelsDir)]),
  ]
}

function toSeconds(ms: number): string {
  return `${Math.floor(ms / 1000)}s`
}

/** What to type next, in each role. */
function viewReady(state: DevnetState, screen: Output): void {
  const [miner] = state.miners
  screen.line()
  screen.line(screen.style('bold', 'The devnet runs.'))
  screen.line(`  chain       ${state.rpcUrl}`)
  screen.line(`  coordinator ${state.coordinator.url}`)
  const next: [string, string[]][] = [
    ['An app asks', ['run "Tell me a story about a brave fox and a red kite."']],
    [
      'A staker votes',
      ['account new alice', 'faucet alice 2000', 'stake 1000 --account alice', `vote ${miner?.account ?? '<node>'} 500 --account alice`, 'status alice'],
    ],
    [
      'A miner works',
      [
        'account new bob',
        'account new bob-op',
        'faucet bob 30000',
        'stake 25000 --account bob',
        'register miner --account bob --operator-account bob-op --name Bob',
        'miner start --account bob-op --model cuckoo/storyteller',
      ],
    ],
  ]
  screen.line()
  screen.line('In another terminal:')
  for (const [role, commands] of next) {
    screen.line()
    screen.line(screen.style('bold', role))
    for (const command of commands) screen.line(foldCommand(`${screen.program} ${command}`, screen.columns, '  '))
  }
}
