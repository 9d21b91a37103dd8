import { z } from 'zod'
import { devnetPollMs } from '../../../domain/chainTime.ts'
import type { MinerEvent } from '../../../miner/minerEvents.ts'
import { waitForAbort } from '../../abort.ts'
import type { Context } from '../../context.ts'
import { defineCommand } from '../../defineCommand.ts'
import { formatMinerEvent, toEventObject } from '../../minerEvents.ts'
import { minerOptions, parseDeviceSlots, parseListen } from '../../minerOptions.ts'
import { findModelSources } from '../../modelSources.ts'
import { getOwnNode } from '../../operator.ts'
import { getVersion } from '../../version.ts'

/** Windows ends a process ten seconds after its console was closed: this leaves time for the farewell. */
const closedConsoleMs = 6_000

type Event = { event: string } & Record<string, unknown>

export const minerStart = defineCommand({
  description: `Runs tasks: finds coordinators on chain, polls them, runs models in this process, signs
each result. Prints what it does, and why it gets nothing. The account in use is the
operator of a registered miner. Needs no open port. Stops on Ctrl-C after running tasks
ended; \`miner status\`, \`pause\`, \`resume\` and \`drain\` reach it from another terminal.`,
  examples: [
    { command: 'cuckoo miner start --account alice-op --model cuckoo/storyteller', note: 'the model that ships with cuckoo' },
    { command: 'cuckoo miner start --models-dir ~/models --model karpathy/stories260K', note: 'from a folder' },
    { command: 'cuckoo miner start --model owner/model:q8@<commit> --device cuda', note: 'from the hub' },
  ],
  longRunning: true,
  args: z.object({}),
  options: z.object(minerOptions),
  output: z.looseObject({ event: z.string() }),
  async run({ options: chosen }, context) {
    const { chain, signer, node } = await getOwnNode(context, 'miner')
    const isDevnet = chain.deployment.network === 'devnet'
    const config = {
      models: await findModelSources(context, chosen),
      slots: chosen.slots,
      slotsByDevice: parseDeviceSlots(chosen.deviceSlots),
      memoryBytes: chosen.memory ?? null,
      pinned: chosen.pin,
      coordinators: chosen.coordinator,
      blocked: chosen.block,
      minUnitPriceWei: chosen.minPrice,
      maxUnpaid: chosen.unpaid,
      redeemAboveWei: chosen.redeemAbove ?? null,
      allowPrivate: chosen.allowPrivate || isDevnet,
      client: `cuckoo/${getVersion()}`,
      chain: isDevnet ? { pollMs: devnetPollMs, confirmations: 0 } : { pollMs: 4_000, confirmations: 2 },
      // Somebody sits there and waits for a coordinator that was registered before it served.
      ...(isDevnet && { timing: { backoff: { baseMs: 500, maxMs: 3_000 } } }),
    }
    context.emit({ event: 'starting', node, operator: signer.address, network: chain.deployment.network })
    const emit = throttleDownloads(context)
    const running = await context.ports.startMiner(node, signer, config, emit, {
      metricsListen: chosen.metricsListen === undefined ? null : parseListen(chosen.metricsListen),
      onMetrics: (url) => context.emit({ event: 'metrics-listening', url, text: `health and metrics at ${url}/metrics` }),
    })
    await Promise.race([waitForAbort(context.signal), running.done])
    await running.drain({ graceMs: Math.min(chosen.grace, isConsoleClosed(context.signal) ? closedConsoleMs : Number.POSITIVE_INFINITY) })
    await running.done
    return undefined
  },
  view(value, screen) {
    const time = screen.style('dim', new Date().toTimeString().slice(0, 8))
    if (value.event === 'starting') return screen.line(`${time} miner ${value['node']} on ${value['network']}`)
    screen.line(`${time} ${value['text']}`)
  },
})

function isConsoleClosed({ reason }: AbortSignal): boolean {
  return process.platform === 'win32' && reason instanceof Error && reason.cause === 'SIGHUP'
}

/** Prints events; of a download at most one a second. */
function throttleDownloads(context: Context<Event>): (event: MinerEvent) => void {
  let shownAtMs = 0
  return (event) => {
    if (event.type === 'modelDownloading') {
      const nowMs = context.ports.clock.nowMs()
      if (nowMs - shownAtMs < 1_000) return
      shownAtMs = nowMs
    }
    context.emit({ ...toEventObject(event), text: formatMinerEvent(event) })
  }
}
