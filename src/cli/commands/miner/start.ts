import { z } from 'zod'
import { deviceNames } from '../../../domain/enginePort.ts'
import { dtypes } from '../../../domain/manifest.ts'
import { defaultMaxUnpaid } from '../../../miner/minerConfig.ts'
import type { MinerEvent } from '../../../miner/minerEvents.ts'
import { waitForAbort } from '../../abort.ts'
import type { Context } from '../../context.ts'
import { defineCommand } from '../../defineCommand.ts'
import { formatMinerEvent, toEventObject } from '../../minerEvents.ts'
import { findModelSources } from '../../modelSources.ts'
import { getOwnNode } from '../../operator.ts'
import { parseAddress } from '../../party.ts'
import { zAmount, zDuration, zInteger } from '../../schemas.ts'
import { getVersion } from '../../version.ts'

const options = z.object({
  model: z.array(z.string().min(1)).default([]).describe('model to offer: owner/model, owner/model:q8, owner/model@commit').meta({ placeholder: 'model' }),
  modelsDir: z.string().optional().describe('folder with models in <owner>/<model>, searched first').meta({ config: 'modelsDir', placeholder: 'dir' }),
  dtype: z.enum(dtypes).default('fp32').describe('weights, where the model names none').meta({ placeholder: 'dtype' }),
  device: z
    .enum(['auto', ...deviceNames])
    .default('auto')
    .describe('auto takes the best that is there; a named one is used or refused')
    .meta({ placeholder: 'device' }),
  slots: zInteger(1, 64).prefault('1').describe('tasks at a time, over all coordinators').meta({ placeholder: 'number' }),
  coordinator: z.array(z.string()).default([]).describe('only these: address or URL').meta({ placeholder: 'coordinator' }),
  block: z.array(z.string().transform(parseAddress)).default([]).describe('never these').meta({ placeholder: 'address' }),
  minPrice: zAmount.prefault('0').describe('CAI per token below which tasks are given back').meta({ placeholder: 'amount' }),
  unpaid: zInteger(1, 1000)
    .prefault(String(defaultMaxUnpaid))
    .describe('results to give a coordinator on credit before work for it stops')
    .meta({ placeholder: 'number' }),
  redeemAbove: zAmount.optional().describe('CAI from which vouchers are redeemed by itself; default: never').meta({ placeholder: 'amount' }),
  allowPrivate: z.boolean().default(false).describe('coordinators at private addresses and plain http too (always so on the devnet)'),
  grace: zDuration.prefault('20s').describe('how long stopping waits for running tasks').meta({ placeholder: 'duration' }),
})

type Event = { event: string } & Record<string, unknown>

export const minerStart = defineCommand({
  description: `Runs tasks: finds coordinators on chain, polls them, runs models in this process, signs
each result. Prints what it does, and why it gets nothing. The account in use is the
operator of a registered miner. Stops on Ctrl-C after running tasks ended.`,
  examples: [
    { command: 'cuckoo miner start --account alice-op --model cuckoo/storyteller', note: 'the model that ships with cuckoo' },
    { command: 'cuckoo miner start --models-dir ~/models --model karpathy/stories260K', note: 'from a folder' },
    { command: 'cuckoo miner start --model owner/model:q8@<commit> --device cuda', note: 'from the hub' },
  ],
  longRunning: true,
  args: z.object({}),
  options,
  output: z.looseObject({ event: z.string() }),
  async run({ options: chosen }, context) {
    const { chain, signer, node } = await getOwnNode(context, 'miner')
    const isDevnet = chain.deployment.network === 'devnet'
    const config = {
      models: await findModelSources(context, chosen),
      slots: chosen.slots,
      coordinators: chosen.coordinator,
      blocked: chosen.block,
      minUnitPriceWei: chosen.minPrice,
      maxUnpaid: chosen.unpaid,
      redeemAboveWei: chosen.redeemAbove ?? null,
      allowPrivate: chosen.allowPrivate || isDevnet,
      client: `cuckoo/${getVersion()}`,
      chain: isDevnet ? { pollMs: 1_000, confirmations: 0 } : { pollMs: 4_000, confirmations: 2 },
      // Somebody sits there and waits for a coordinator that was registered before it served.
      ...(isDevnet && { timing: { backoff: { baseMs: 500, maxMs: 3_000 } } }),
    }
    context.emit({ event: 'starting', node, operator: signer.address, network: chain.deployment.network })
    const emit = throttleDownloads(context)
    const running = await context.ports.startMiner(node, signer, config, emit)
    await Promise.race([waitForAbort(context.signal), running.done])
    await running.drain({ graceMs: chosen.grace })
    await running.done
    return undefined
  },
  view(value, screen) {
    const time = screen.style('dim', new Date().toTimeString().slice(0, 8))
    if (value.event === 'starting') return screen.line(`${time} miner ${value['node']} on ${value['network']}`)
    screen.line(`${time} ${value['text']}`)
  },
})

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
