/**
 * A coordinator with one miner in a process of its own, which kills itself where it is told to, as the kernel would: for crash
 * tests. Arguments: the store's directory, and 'beforeCommit', 'afterCommit' or 'never'.
 */
import { once } from 'node:events'
import type { CoordinatorStore } from '../../src/domain/storePorts.ts'
import { createCoordinatorRig, endCoordinatorRigs } from './coordinatorRig.ts'

const [directory = '', killAt = 'never'] = process.argv.slice(2)

function killSelf(): Promise<never> {
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => undefined)
}

const wrapStore = (store: CoordinatorStore): CoordinatorStore => ({
  ...store,
  async createTask(task) {
    if (killAt === 'beforeCommit') await killSelf()
    const created = await store.createTask(task)
    if (killAt === 'afterCommit') await killSelf()
    return created
  },
})

const rig = await createCoordinatorRig({ directory, wrapStore })
await rig.openMiner(1)
process.send?.({ url: rig.serving.url, apiKey: rig.apiKey })
await once(process, 'disconnect')
await endCoordinatorRigs()
