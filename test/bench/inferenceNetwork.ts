import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '../../src/api/client.ts'
import type { OfferedModel } from '../../src/miner/modelShelf.ts'
import type { MinerCommand, MinerReport } from './inferenceMiner.ts'

export interface BenchNetwork {
  app: Client
  watchMinerLag(): Promise<unknown>
  getMinerReport(): Promise<MinerReport>
  close(): Promise<void>
}

/**
 * A coordinator and a miner, each in a process of its own as they are in life, and an app in this one: real store, server, sessions,
 * signatures, tokenizers and engine. The chain alone is played.
 */
export async function startBenchNetwork(modelsDirectory: string, models: readonly OfferedModel[]): Promise<BenchNetwork> {
  const [coordinator, miner] = [startProcess('./inferenceCoordinator.ts'), startProcess('./inferenceMiner.ts')]
  const [{ url, apiKey }] = (await once(coordinator, 'message')) as [{ url: string; apiKey: string }]
  const command = async (message: MinerCommand): Promise<MinerReport> => {
    miner.send(message)
    const [answer] = (await once(miner, 'message')) as [MinerReport]
    return answer
  }
  await command({ type: 'start', url, modelsDirectory, models })
  const app = createClient({ url, apiKey, allowPrivate: true, timeoutMs: 120_000 })
  await waitForModels(app, models.length)
  return {
    app,
    watchMinerLag: () => command({ type: 'watchLag' }),
    getMinerReport: () => command({ type: 'getReport' }),
    async close() {
      await app.close()
      for (const child of [miner, coordinator]) {
        child.disconnect()
        await once(child, 'exit')
      }
    },
  }
}

function startProcess(file: string): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced' })
}

async function waitForModels(app: Client, count: number): Promise<void> {
  const endsAt = Date.now() + 60_000
  while ((await app.listModels({})).data.length < count) {
    if (Date.now() > endsAt) throw new Error('the miner offers no models at the coordinator')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
