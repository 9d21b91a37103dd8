import { z } from 'zod'
import { zAddress } from '../../../api/wire.ts'
import { detachDevnet } from '../../../devnet/detachDevnet.ts'
import { getDevnet } from '../../../devnet/devnetState.ts'
import { demoMinerBonds } from '../../../devnet/runDemo.ts'
import { type DevnetEvent, startDevnet } from '../../../devnet/startDevnet.ts'
import { devnetChildFailed } from '../../../errors/devnet.ts'
import type { Context } from '../../context.ts'
import { defineCommand } from '../../defineCommand.ts'
import { viewDevnetEvent } from '../../devnetView.ts'
import type { Output } from '../../output.ts'
import { programScript, programWords } from '../../program.ts'
import { zDuration, zInteger } from '../../schemas.ts'

export const zDevnetState = z.object({
  pid: z.int(),
  startedAt: z.int(),
  rpcUrl: z.string(),
  staking: zAddress,
  coordinator: z.object({ node: zAddress, url: z.string() }),
  miners: z.array(z.object({ account: z.string(), node: zAddress, pid: z.int() })),
  accounts: z.array(z.object({ name: z.string(), address: zAddress })),
  apiKeyFile: z.string(),
})

const zEvent = z.discriminatedUnion('event', [
  z.object({ event: z.literal('section'), title: z.string() }),
  z.object({ event: z.literal('command'), command: z.string(), note: z.string() }),
  z.object({ event: z.literal('ready'), state: zDevnetState }),
  z.object({ event: z.literal('stopped') }),
])
type Event = z.output<typeof zEvent>

export const devnetStart = defineCommand({
  description: `Starts a chain, deploys the contracts, and brings up a coordinator and three
miners, each registered through the commands that people type and each a process
of its own. Until it ends, it is the default network of every other terminal.
Everything listens on loopback only.`,
  examples: [
    { command: 'cuckoo devnet start', note: 'in a terminal of its own; Ctrl-C ends it all' },
    { command: 'cuckoo devnet start --detach', note: 'in the background; `cuckoo devnet stop` ends it' },
  ],
  args: z.object({}),
  options: z.object({
    detach: z.boolean().default(false).describe('run in the background'),
    rpcPort: zInteger(0, 65_535).default(8545).describe("port of the chain's RPC; another when it is taken, 0: any"),
    port: zInteger(0, 65_535).default(7878).describe('port of the coordinator; another when it is taken, 0: any'),
    thaw: zDuration.default(600_000).describe('thaw period of the contracts').meta({ placeholder: 'duration' }),
    model: z.string().default('cuckoo/storyteller').describe('model that the miners offer'),
  }),
  output: zEvent,
  longRunning: true,
  async run({ options }, context) {
    const { home } = context.config.values
    if (options.detach) {
      const flags = ['--rpc-port', String(options.rpcPort), '--port', String(options.port), '--thaw', `${options.thaw}ms`, '--model', options.model]
      const state = await detachDevnet({ home, script: programScript, flags })
      return { event: 'ready' as const, state }
    }
    const emit = (event: DevnetEvent) => {
      if (event.type === 'section' || event.type === 'command') context.emit(toOutput(event))
    }
    const devnet = await startDevnet(
      {
        home,
        script: programScript,
        rpcPort: options.rpcPort,
        coordinatorPort: options.port,
        minerBonds: demoMinerBonds,
        thaw: `${options.thaw}ms`,
        model: options.model,
      },
      emit,
      context.signal,
    )
    context.emit({ event: 'ready', state: getDevnet(home) })
    const stopped = new Promise<null>((resolve) => context.signal.addEventListener('abort', () => resolve(null), { once: true }))
    try {
      const broken = await Promise.race([stopped, devnet.broken])
      if (broken) throw devnetChildFailed({ command: broken.name, exitCode: broken.exitCode, reason: 'it ended by itself' })
    } finally {
      await devnet.stop()
    }
    return { event: 'stopped' as const }
  },
  view(event, screen, context) {
    if (event.event === 'section' || event.event === 'command') viewDevnetEvent({ type: event.event, ...event } as DevnetEvent, screen)
    else if (event.event === 'ready') viewNextSteps(event.state, screen, context)
    else screen.line('The devnet has ended.')
  },
})

function toOutput(event: Extract<DevnetEvent, { type: 'section' | 'command' }>): Event {
  return event.type === 'section' ? { event: 'section', title: event.title } : { event: 'command', command: event.command, note: event.note }
}

function viewNextSteps(state: z.output<typeof zDevnetState>, screen: Output, context: Context): void {
  const step = (role: string, lines: readonly string[]) => {
    screen.line(screen.style('bold', role))
    for (const line of lines) screen.line(`  ${line}`)
  }
  screen.line()
  screen.line(`The network is up. Coordinator ${state.coordinator.url}, chain ${state.rpcUrl}.`)
  screen.line('Type this in other terminals:')
  step('as an app', [
    `${programWords} run "Tell me a story about a brave fox and a red kite."`,
    `eval "$(${programWords} devnet env)"   # for curl and OpenAI clients`,
  ])
  step('as a staker', [
    `${programWords} account new alice`,
    `${programWords} faucet alice 2000`,
    `${programWords} stake 1000 --account alice`,
    `${programWords} vote dev-miner-1 500 --account alice`,
    `${programWords} status alice`,
  ])
  step('as a miner', [
    `${programWords} account new bob && ${programWords} account new bob-op`,
    `${programWords} faucet bob 30000`,
    `${programWords} stake 25000 --account bob`,
    `${programWords} register miner --account bob --operator-account bob-op --name Bob`,
    `${programWords} miner start --account bob-op`,
  ])
  step('as anybody', [`${programWords} nodes`, `${programWords} devnet warp 10m`, `${programWords} devnet stop`])
  if (!context.output.json) screen.line(screen.style('dim', `logs: ${context.config.values.home}/devnet`))
}
