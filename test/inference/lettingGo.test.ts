import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const script = new URL('../support/stoppingNode.ts', import.meta.url).pathname

/** How test/support/stoppingNode.ts ended, the lines it printed, and the time since the last signal that `onLine` made it send. */
async function runNode(way: string, onLine: (line: string, send: (signal: NodeJS.Signals) => void) => void = () => undefined) {
  const directory = mkdtempSync(join(tmpdir(), 'cuckoo-letting-go-'))
  // Where a core file may be written, it goes with the directory.
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, way, directory], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const limit = setTimeout(() => child.kill('SIGKILL'), 100_000)
  const lines: string[] = []
  let rest = ''
  let sentAtMs = 0
  const send = (signal: NodeJS.Signals) => {
    sentAtMs = performance.now()
    child.kill(signal)
  }
  child.stdout.on('data', (chunk: Buffer) => {
    const [last = '', ...whole] = (rest + chunk.toString()).split('\n').reverse()
    rest = last
    for (const line of whole.reverse()) {
      lines.push(line)
      onLine(line, send)
    }
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(limit)
  rmSync(directory, { recursive: true, force: true })
  return { code, signal, lines, sinceSentMs: performance.now() - sentAtMs }
}

// To terminate a worker inside the runtime aborts the whole process, and with it every task under way.
it.each([
  ['of a run that an app cancelled, for the room that another model needs', 'unload', ['at work', 'cancelled', 'let go']],
  ['of a run when the miner stops', 'dispose', ['at work', 'let go']],
  ['of a model that loads', 'load', ['at work', 'given up', 'let go']],
] as const)('a node lets go %s, however long that takes, and lives', async (_, way, lines) => {
  expect(await runNode(way)).toMatchObject({ code: 0, signal: null, lines })
})

it('a run that an app cancelled and that is long in letting go makes its model refuse others until it does', async () => {
  const lines = ['at work', 'cancelled', 'CUCKOO_INFERENCE_STUCK', 'let go']
  expect(await runNode('abandon')).toMatchObject({ code: 0, signal: null, lines })
})

it('a model that is long in loading again refuses those that wait for it, is not offered, and runs once it has loaded', async () => {
  const lines = ['at work', 'CUCKOO_INFERENCE_STUCK', 'refused: CUCKOO_INFERENCE_STUCK', 'let go']
  expect(await runNode('late')).toMatchObject({ code: 0, signal: null, lines })
})

it.each([
  ['that is long in loading at the start', 'first'],
  ['that goes on loading after the start was told to stop', 'quit'],
])('a model %s is not waited for for ever, and lets go when it has loaded', async (_, way) => {
  expect(await runNode(way)).toMatchObject({ code: 0, signal: null, lines: ['at work', 'refused: CUCKOO_INFERENCE_STUCK', 'let go'] })
})

it.skipIf(process.platform === 'win32')(
  'a node that stops does not wait for ever for a run: it says which model has it, and ends with the exit code of its error',
  async () => {
    const startedAtMs = performance.now()
    expect(await runNode('stuck')).toMatchObject({ code: 75, signal: null, lines: ['at work', 'CUCKOO_INFERENCE_STUCK', 'stuck: test/slow'] })
    // The run takes 5 s on two idle cores, and longer on busy ones.
    expect(performance.now() - startedAtMs).toBeLessThan(60_000)
  },
)

it.skipIf(process.platform === 'win32')('a second signal ends the process with that signal at once, whatever its models do', async () => {
  const ended = await runNode('force', (line, send) => {
    if (line.includes('"ready"')) {
      send('SIGTERM')
      setTimeout(() => send('SIGINT'), 300)
    }
  })
  expect(ended).toMatchObject({ code: null, signal: 'SIGINT' })
  expect(ended.lines).not.toContain('let go')
  expect(ended.sinceSentMs).toBeLessThan(1_000)
})
