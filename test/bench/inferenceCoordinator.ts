/** A coordinator in a process of its own, with real tokenizers, store, server and signatures, for the miner of inference.ts. */
import { once } from 'node:events'
import { defaultCoordinatorConfig } from '../../src/coordinator/coordinatorPorts.ts'
import { createTokenizers } from '../../src/inference/createTokenizers.ts'
import { createCoordinatorRig, endCoordinatorRigs } from '../support/coordinatorRig.ts'

const rig = await createCoordinatorRig({
  tokenizers: createTokenizers({ timeoutMs: 5_000 }),
  config: defaultCoordinatorConfig,
})
process.send?.({ url: rig.serving.url, apiKey: rig.apiKey })
await once(process, 'disconnect')
await endCoordinatorRigs()
