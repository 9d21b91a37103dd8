import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

/** What a process that runs one text leaves behind in its home and its temporary folder. */
function runOneText(env: NodeJS.ProcessEnv): string[] {
  const scratch = mkdtempSync(join(tmpdir(), 'cuckoo-telemetry-'))
  const [home, temporary] = [join(scratch, 'home'), join(scratch, 'tmp')]
  for (const folder of [home, temporary]) mkdirSync(folder)
  const script = `
    import { createEngine } from ${JSON.stringify(fileURLToPath(new URL('../../src/inference/createEngine.ts', import.meta.url)))}
    const engine = createEngine({ modelsDirectory: ${JSON.stringify(join(scratch, 'models'))}, offline: true })
    const model = await engine.openModel({ model: 'cuckoo/storyteller', source: { from: 'bundled' }, dtype: 'fp32', device: 'cpu' })
    await model.generateText({ tokenIds: await model.tokenizer.encodeText('One day') }, { maxTokens: 2, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-01' }, 0n)
    await engine.dispose()`
  try {
    execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { PATH: process.env['PATH'], HOME: home, XDG_CACHE_HOME: join(home, '.cache'), TMPDIR: temporary, ...env },
    })
    return readdirSync(scratch, { recursive: true })
      .map(String)
      .filter((path) => !['home', 'tmp'].includes(path))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

it('leaves no trace of the runtime’s own telemetry, whatever the caller’s environment says', () => {
  expect(runOneText({ ORT_DISABLE_TELEMETRY: '0' })).toEqual([])
})
