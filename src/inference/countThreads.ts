import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

/**
 * Threads for a session to compute with: one per physical core, as the runtime would choose, and no more than this process may
 * use. Undefined where the system does not tell: the runtime chooses.
 *
 * A number that is named differs in one thing from the runtime's own: it pins no thread (seen with
 * onnxruntime 1.30). Pinned to every core but the first, they waited for whatever else ran there, the model's own worker
 * included: images of `cuckoo/blocks` took 5 % longer in a worker on two cores (12 to 19 ms of 280, medians of 45 in three runs).
 */
export function countThreads(directory = '/sys/devices/system/cpu'): number | undefined {
  try {
    const processors = readdirSync(directory).filter((name) => /^cpu\d+$/.test(name))
    const cores = new Set(processors.map((name) => readCore(join(directory, name, 'topology'))).filter((core) => core !== null))
    return cores.size === 0 ? undefined : Math.min(cores.size, availableParallelism())
  } catch {
    return undefined
  }
}

/** What the processors of one physical core have in common; null for one that is switched off. */
function readCore(topology: string): string | null {
  try {
    return readFileSync(join(topology, 'thread_siblings_list'), 'latin1')
  } catch {
    return null
  }
}
